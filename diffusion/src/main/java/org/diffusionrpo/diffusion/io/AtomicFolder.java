package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Folders that are there in full or not at all: made under a temporary name beside the target, then renamed. */
final class AtomicFolder {
  private AtomicFolder() {}

  /** Fills a new folder. */
  @FunctionalInterface
  interface Content {
    void writeTo(Path folder) throws IOException;
  }

  /**
   * Makes or replaces {@code target}. Only an empty folder or one that holds {@code marker}, an earlier save, is
   * replaced: a mistyped path must not delete somebody's files.
   */
  static void write(Path target, String marker, Content content) throws IOException {
    Path absolute = target.toAbsolutePath().normalize();
    if (Files.exists(absolute) && !isReplaceable(absolute, marker)) {
      throw new FileAlreadyExistsException(target + ": exists and is not an earlier save, which would have a " + marker
          + "; choose another folder");
    }
    Files.createDirectories(absolute.getParent());
    String hidden = "." + absolute.getFileName() + "." + ProcessHandle.current().pid();
    Path fresh = absolute.resolveSibling(hidden + ".tmp");
    Path old = absolute.resolveSibling(hidden + ".old");
    delete(fresh);
    try {
      Files.createDirectory(fresh);
      content.writeTo(fresh);
      if (Files.exists(absolute)) {
        Files.move(absolute, old, StandardCopyOption.ATOMIC_MOVE);
      }
      Files.move(fresh, absolute, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      delete(fresh);
    }
    delete(old);
  }

  /** Copies a folder with all that is in it; what links point to becomes part of the copy. */
  static void copy(Path from, Path to) throws IOException {
    for (Path source : tree(from, FileVisitOption.FOLLOW_LINKS)) {
      Files.copy(source, to.resolve(from.relativize(source).toString()));
    }
  }

  private static boolean isReplaceable(Path folder, String marker) throws IOException {
    if (!Files.isDirectory(folder)) {
      return false;
    }
    try (Stream<Path> children = Files.list(folder)) {
      return Files.isRegularFile(folder.resolve(marker)) || children.findAny().isEmpty();
    }
  }

  private static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      for (Path path : tree(folder).stream().sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static List<Path> tree(Path folder, FileVisitOption... options) throws IOException {
    try (Stream<Path> paths = Files.walk(folder, options)) {
      return paths.toList();
    }
  }
}
