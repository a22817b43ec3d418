package org.diffusionrpo.kernels.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The kernel sources of this project. */
final class KernelSources {
  static final Path FOLDER = Path.of("src", "main", "resources", "org", "diffusionrpo", "kernels", "cuda");

  /** Their names, without {@code .cu}. */
  static final List<String> FILES = files();

  private KernelSources() {}

  private static List<String> files() {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".cu"))
          .map(name -> name.substring(0, name.length() - 3)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
