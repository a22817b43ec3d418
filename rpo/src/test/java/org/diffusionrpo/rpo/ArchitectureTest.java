package org.diffusionrpo.rpo;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.diffusionrpo.tensor.GoldenFill;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may know whom, in the classes of all four modules. */
class ArchitectureTest {
  private static final String KERNELS = "org.diffusionrpo.kernels..";
  private static final String TENSOR = "org.diffusionrpo.tensor..";
  private static final String DIFFUSION = "org.diffusionrpo.diffusion..";
  private static final String RPO = "org.diffusionrpo.rpo..";
  private static final String COMMANDS = "org.diffusionrpo.rpo.cli..";

  /** The other modules' tests are folders or, once packaged, jars. */
  private static final JavaClasses MAIN = new ClassFileImporter()
      .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
      .withImportOption(location -> !location.contains("-tests.jar"))
      .importPackages("org.diffusionrpo");

  @ParameterizedTest
  @ValueSource(strings = {KERNELS, TENSOR, DIFFUSION, RPO})
  void everyModuleIsLookedAt(String module) {
    assertFalse(MAIN.that(resideInAPackage(module)).isEmpty());
  }

  @ParameterizedTest
  @ValueSource(classes = {ArchitectureTest.class, GoldenFill.class})
  void testsAreNotLookedAt(Class<?> test) {
    assertFalse(MAIN.contain(test));
  }

  @Test
  void modulesKnowOnlyThoseBelowThem() {
    layeredArchitecture().consideringOnlyDependenciesInLayers()
        .layer("native-kernels").definedBy(KERNELS)
        .layer("tensor").definedBy(TENSOR)
        .layer("diffusion").definedBy(DIFFUSION)
        .layer("rpo").definedBy(RPO)
        .whereLayer("native-kernels").mayNotAccessAnyLayer()
        .whereLayer("tensor").mayOnlyAccessLayers("native-kernels")
        .whereLayer("diffusion").mayOnlyAccessLayers("tensor", "native-kernels")
        .check(MAIN);
  }

  @Test
  void onlyTheCpuKernelsKnowTheVectorModule() { // all else must run on a virtual machine without it
    noClasses().that().resideOutsideOfPackage("org.diffusionrpo.kernels.cpu..")
        .should().dependOnClassesThat().resideInAPackage("jdk.incubator.vector..").check(MAIN);
  }

  @Test
  void onlyTheCudaPackagesMayKnowJcuda() { // all else must run on a machine without a GPU
    noClasses().that().resideOutsideOfPackages("org.diffusionrpo.kernels.cuda..", "org.diffusionrpo.tensor.cuda..")
        .should().dependOnClassesThat().resideInAPackage("jcuda..").check(MAIN);
  }

  @Test
  void libraryDoesNotKnowTheCommands() {
    noClasses().that().resideOutsideOfPackage(COMMANDS)
        .should().dependOnClassesThat().resideInAPackage(COMMANDS).check(MAIN);
  }

  @Test
  void libraryNeverPrintsAndNeverExits() {
    noClasses().that().resideOutsideOfPackage(COMMANDS)
        .should(ACCESS_STANDARD_STREAMS).orShould().callMethod(System.class, "exit", int.class).check(MAIN);
  }

  /** The benchmarks are not on this class path; a module that needs them would have to say so here. */
  @ParameterizedTest
  @ValueSource(strings = {"native-kernels", "tensor", "diffusion", "rpo"})
  void noModuleNeedsTheBenchmarks(String module) throws IOException {
    assertFalse(Files.readString(Path.of("..", module, "pom.xml")).contains("<artifactId>bench</artifactId>"));
  }
}
