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
import org.diffusionrpo.tensor.io.AtomicFiles;

/**
 * Folders that are there in full or not at all, whatever stops the program or the machine: made under a hidden name
 * beside the target, forced to the disk, then renamed. One process at a time may write a target.
 */
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
    Path fresh = absolute.resolveSibling("." + absolute.getFileName() + ".tmp");
    Path old = absolute.resolveSibling("." + absolute.getFileName() + ".old");
    recover(absolute, old);
    requireReplaceable(target, marker);
    Files.createDirectories(absolute.getParent());
    delete(fresh);
    try {
      Files.createDirectory(fresh);
      content.writeTo(fresh);
      for (Path path : tree(fresh)) {
        AtomicFiles.force(path);
      }
      replace(absolute, fresh, old);
    } finally {
      delete(fresh);
    }
    AtomicFiles.force(absolute.getParent());
    delete(old);
  }

  /** Throws unless {@link #write} would take the target; to be asked before the work that fills it. */
  static void requireReplaceable(Path target, String marker) throws IOException {
    if (Files.exists(target) && !isReplaceable(target, marker)) {
      throw new FileAlreadyExistsException(target.toString(), null,
          "exists and is not an earlier save, which would have a " + marker + "; choose another folder");
    }
  }

  private static void replace(Path target, Path fresh, Path old) throws IOException {
    boolean replaces = Files.exists(target);
    if (replaces) {
      Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
    }
    try {
      Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      if (replaces) {
        Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
      }
      throw e;
    }
  }

  /** A save that was stopped between its two renames left the earlier one hidden; after them, it is of no more use. */
  private static void recover(Path target, Path old) throws IOException {
    if (Files.exists(old) && !Files.exists(target)) {
      Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
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
