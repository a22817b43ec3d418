package org.diffusionrpo.kernels.cuda;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that are made once per machine: compiled kernels and unpacked JNI libraries. They are written under a name of
 * their own and renamed, so processes that start together each see a whole file or none.
 */
final class CacheFolder {
  /** For tests and shared machines: a folder in place of {@code $XDG_CACHE_HOME/diffusion-rpo}. */
  static final String PROPERTY = "drpo.cuda.cache";

  private static final Logger LOG = LoggerFactory.getLogger(CacheFolder.class);

  private final Path path;

  CacheFolder(Path path) {
    this.path = path;
  }

  /** The one for this user and machine, or the one that the property names. */
  static CacheFolder open() {
    String chosen = System.getProperty(PROPERTY);
    if (chosen != null) {
      return new CacheFolder(Path.of(chosen));
    }
    String xdg = System.getenv("XDG_CACHE_HOME"); // relative values are to be ignored, says the specification
    Path base = xdg != null && xdg.startsWith("/") ? Path.of(xdg) : Path.of(System.getProperty("user.home"), ".cache");
    return new CacheFolder(base.resolve("diffusion-rpo"));
  }

  Path resolve(String name) {
    return path.resolve(name);
  }

  /** The file's bytes, or null when it is not there or cannot be read. */
  byte[] read(String name) {
    try {
      Path file = resolve(name);
      return Files.isRegularFile(file) ? Files.readAllBytes(file) : null;
    } catch (IOException e) {
      LOG.warn("Cannot read the cached {}: {}", name, e.toString());
      return null;
    }
  }

  /** Keeps the bytes if the folder can be written to; without a cache everything works, only slower. */
  void write(String name, byte[] bytes) {
    try {
      place(resolve(name), bytes);
    } catch (IOException e) {
      LOG.warn("Cannot keep {} for the next start: {}", name, e.toString());
    }
  }

  void delete(String name) {
    try {
      Files.deleteIfExists(resolve(name));
    } catch (IOException e) {
      LOG.warn("Cannot delete the cached {}: {}", name, e.toString());
    }
  }

  /** Writes a file that others see whole or not at all. */
  static void place(Path file, byte[] bytes) throws IOException {
    Files.createDirectories(file.getParent());
    Path partial = Files.createTempFile(file.getParent(), "." + file.getFileName(), ".part");
    try {
      Files.write(partial, bytes);
      try {
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(partial);
    }
  }
}
