package org.diffusionrpo.bench.versus;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Starts the sides' processes. The environment is clean: a leftover variable of OpenMP, MKL, OpenBLAS, malloc or Java
 * would decide the result.
 */
final class Round {
  private static final Set<String> KEPT_VARIABLES = Set.of("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL");
  /** The computations are libtorch's own: Java gets a small heap and no compiler that takes a core for long. */
  private static final List<String> CALLER_OPTIONS = List.of("-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
      "-Dorg.bytedeco.javacpp.maxBytes=0", "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0");

  private final Options options;
  private final List<String> classPath = List.of(System.getProperty("java.class.path").split(File.pathSeparator));
  private Libtorch libtorch;

  /**
   * How each process runs.
   *
   * @param seconds of warm-up and of measurement each
   * @param threads of each side; 0 leaves it to them
   * @param prefix words before the command, for example {@code taskset -c 0-3}
   * @param libtorch folder for its unpacked libraries
   */
  record Options(double seconds, int threads, List<String> prefix, Path libtorch) {}

  /**
   * What one process measured.
   *
   * @param seconds median of its runs
   * @param peakBytes its largest resident set; 0 when unknown
   */
  record Measurement(double seconds, long peakBytes) {}

  Round(Options options) {
    this.options = options;
  }

  Measurement play(Side side, Row row) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(options.prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(side.isLibtorch() ? CALLER_OPTIONS : ManagementFactory.getRuntimeMXBean().getInputArguments());
    if (options.threads > 0) {
      command.add("-Ddrpo.threads=" + options.threads);
    }
    List<String> entries = side.isLibtorch() ? libtorch().classPath() : classPath;
    command.addAll(List.of("-cp", String.join(File.pathSeparator, entries), Contestant.class.getName(), side.name(),
        row.name(), Double.toString(options.seconds)));
    Path errors = Files.createTempFile("versus", ".log"); // not shown: Java warns of the vector module in each process
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
      prepare(builder.environment(), side);
      Process process = builder.start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status != 0) {
        throw new IOException((side.label() + ", " + row.name() + ": ended with status " + status + "\n"
            + Files.readString(errors)).strip());
      }
      String[] numbers = output.strip().split(" ");
      return new Measurement(Double.parseDouble(numbers[0]), Long.parseLong(numbers[1]));
    } finally {
      Files.delete(errors);
    }
  }

  private void prepare(Map<String, String> environment, Side side) throws IOException, InterruptedException {
    environment.keySet().retainAll(KEPT_VARIABLES);
    if (options.threads > 0) {
      for (String library : List.of("OMP", "MKL", "OPENBLAS")) {
        environment.put(library + "_NUM_THREADS", Integer.toString(options.threads));
      }
    }
    if (side.isLibtorch()) {
      libtorch().locate(environment);
    }
    if (side == Side.TUNED) {
      libtorch().tune(environment);
    }
  }

  private Libtorch libtorch() throws IOException {
    if (libtorch == null) {
      libtorch = Libtorch.unpack(options.libtorch, classPath);
    }
    return libtorch;
  }
}
