package org.diffusionrpo.kernels.cuda;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The CUDA compiler, where one is on the path. It needs no GPU. */
final class Nvcc {
  static final Path SOURCES = Path.of("src", "main", "resources", "org", "diffusionrpo", "kernels", "cuda");

  private Nvcc() {}

  /** Why there is none, or null. */
  static String missing() {
    boolean found = Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, "nvcc")));
    return found ? null : "nvcc is not on the path";
  }

  /** The line that nvcc writes into its PTX too. */
  static String version() {
    return run(List.of("nvcc", "--version")).lines().filter(line -> line.contains("release")).findFirst().orElseThrow();
  }

  /**
   * Everything that the program prints.
   *
   * @throws IllegalStateException when it fails
   */
  static String run(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException(String.join(" ", command) + ":\n" + output);
      }
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
