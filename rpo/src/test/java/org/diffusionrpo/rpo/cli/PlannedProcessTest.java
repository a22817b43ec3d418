package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.Counts;
import org.diffusionrpo.rpo.align.DryRun;
import org.diffusionrpo.rpo.plan.ProcessMemory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** The planned memory of a process against a process of the bundled model, started with the flags of {@code drpo}. */
class PlannedProcessTest {
  /** What plan promises. Half of what is predicted is in the tests' runs for tensors, which are counted exactly. */
  private static final double TOLERANCE = 0.15;
  private static final long HEAP = 2L << 30;
  private static final Path HOME = Path.of("..");

  @TempDir Path folder;

  @BeforeAll
  static void useTheProjectsFolder() {
    System.setProperty("drpo.home", HOME.toString());
  }

  @AfterAll
  static void forgetIt() {
    System.clearProperty("drpo.home");
  }

  static Stream<List<String>> runs() {
    return Stream.of(
        List.of("--objective", "dpo", "--batch", "24"),
        List.of("--optimizer", "adafactor", "--micro-batch", "4", "--storage", "f16"),
        List.of("--lora", "8", "--storage", "bf16", "--gradient-checkpointing"));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void processHoldsWhatWasPlanned(List<String> run) throws IOException, InterruptedException {
    assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "only Linux tells how much memory a process held");
    List<String> options = new ArrayList<>(run);
    options.addAll(List.of("--limit", "48", "--steps", "3", "--samples", "0", "--evaluate", "0", "--out",
        folder.resolve("run").toString()));
    AlignSettings settings = new AlignSettings();
    new CommandLine(settings).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(options.toArray(String[]::new));
    Counts counts = DryRun.of(settings);
    ProcessMemory planned = ProcessMemory.of(counts, HEAP);
    long measured = measure(options);
    assertEquals(measured, planned.total(), TOLERANCE * measured,
        () -> options + ": measured " + measured + " bytes, planned " + planned + " of " + counts.parts());
  }

  private long measure(List<String> options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    command.addAll(flags());
    command.addAll(List.of("-Xmx" + HEAP, "-Djava.awt.headless=true", "-Ddrpo.home=" + HOME,
        "--add-modules=jdk.incubator.vector", "-cp", System.getProperty("java.class.path"),
        MeasuredAlign.class.getName(), "align"));
    command.addAll(options);
    Path errors = folder.resolve("errors");
    Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertEquals(0, process.waitFor(), Files.readString(errors));
    return Long.parseLong(printed.substring(printed.lastIndexOf('\n') + 1));
  }

  /** The options of Java's collector as the launcher has them. */
  private static List<String> flags() throws IOException {
    Matcher options = Pattern.compile("^options=\\((.*?)\\)$", Pattern.DOTALL | Pattern.MULTILINE)
        .matcher(Files.readString(HOME.resolve("drpo")));
    List<String> flags = new ArrayList<>();
    while (options.find()) {
      Stream.of(options.group(1).split("\\s+")).filter(word -> word.startsWith("-X")).forEach(flags::add);
    }
    assertFalse(flags.isEmpty(), "drpo sets no options of the collector");
    return flags;
  }
}
