package org.diffusionrpo.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Idioms that compile and pass every other test, yet break equal reruns, plain JVMs or speed. */
class KernelSourceTest {
  private static final Path SOURCES = Path.of("src", "main", "java");

  private record Rule(String reason, Pattern idiom, Pattern allowedFiles) {
    Rule(String reason, String idiom, String allowedFiles) {
      this(reason, Pattern.compile(idiom), Pattern.compile(allowedFiles));
    }
  }

  private static final List<Rule> RULES = List.of(
      new Rule("vector transcendentals change bits when the second compiler takes over",
          "(VectorOperators\\s*\\.|lanewise\\s*\\()\\s*"
              + "(SIN|COS|TAN|ASIN|ACOS|ATAN|ATAN2|SINH|COSH|TANH|EXP|EXPM1|LOG|LOG10|LOG1P|POW|CBRT|HYPOT)\\b", "-"),
      new Rule("the order of a lane reduction is the compiler's choice", "\\.\\s*reduceLanes\\s*\\(", "-"),
      new Rule("without its module, a class that names the incubator cannot be loaded",
          "jdk\\.incubator\\.vector\\s*\\.", "Vector\\w*\\.java"),
      new Rule("mixed widths stop the inlining of loads and stores on JDK 17", "SPECIES_(64|128|256|512|MAX)\\b", "-"));

  @Test
  void noSourceUsesABannedIdiom() throws IOException {
    List<String> faults = new ArrayList<>();
    List<Path> files;
    try (Stream<Path> tree = Files.walk(SOURCES)) {
      files = tree.filter(file -> file.toString().endsWith(".java")).toList();
    }
    assertFalse(files.isEmpty(), "no sources below " + SOURCES.toAbsolutePath());
    for (Path file : files) {
      String text = Files.readString(file);
      for (Rule rule : RULES) {
        boolean allowed = rule.allowedFiles().matcher(file.getFileName().toString()).matches();
        if (!allowed && rule.idiom().matcher(text).find()) {
          faults.add(file.getFileName() + ": " + rule.reason());
        }
      }
    }
    assertEquals(List.of(), faults);
  }

  @Test
  void theRulesRecogniseWhatTheyBan() {
    List<String> samples = List.of("v.lanewise(VectorOperators.EXP)", "v.reduceLanes(VectorOperators.ADD)",
        "import jdk.incubator.vector.FloatVector;", "FloatVector.SPECIES_256");
    for (int i = 0; i < samples.size(); i++) {
      assertTrue(RULES.get(i).idiom().matcher(samples.get(i)).find(), samples.get(i));
    }
  }
}
