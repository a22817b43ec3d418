package org.diffusionrpo.kernels.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
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

  private static final int HASH = 32;

  /** Files that nobody read for so long are deleted. */
  private static final Duration UNUSED = Duration.ofDays(90);

  /** The rest of a write that did not end, and how exactly the last use is kept. */
  private static final Duration DAY = Duration.ofDays(1);

  private final List<Path> paths;

  /** @param paths read and written in this order: the second one where the first is not there or not writable */
  CacheFolder(Path... paths) {
    this.paths = List.of(paths);
  }

  /** The one for this user and machine, or that of the property; where it cannot be written, another beside it. */
  static CacheFolder open() {
    String chosen = System.getProperty(PROPERTY);
    Path standard = chosen != null ? Path.of(chosen) : UserFolders.cache();
    if (standard != null && UserFolders.isWritable(standard)) {
      return new CacheFolder(standard);
    }
    return new CacheFolder(Stream.of(Optional.ofNullable(standard), UserFolders.temporary()).flatMap(Optional::stream)
        .toArray(Path[]::new));
  }

  List<Path> paths() {
    return paths;
  }

  /** The bytes that were written, or null when they are not there, damaged or cannot be read. */
  byte[] read(String name) {
    for (Path path : paths) {
      Path file = path.resolve(name);
      try {
        if (Files.isRegularFile(file)) {
          byte[] all = Files.readAllBytes(file);
          byte[] bytes = Arrays.copyOfRange(all, Math.min(HASH, all.length), all.length);
          if (Arrays.equals(hash(bytes), 0, HASH, all, 0, Math.min(HASH, all.length))) {
            touch(file);
            return bytes;
          }
          LOG.info("The cached {} is damaged or of another version", file);
        }
      } catch (IOException e) {
        LOG.warn("Cannot read the cached {}: {}", file, e.toString());
      }
    }
    return null;
  }

  private static void touch(Path file) {
    try {
      if (isOlder(file, DAY)) {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      }
    } catch (IOException e) {
      LOG.debug("Cannot note the use of {}: {}", file, e.toString()); // a folder that is only read
    }
  }

  /**
   * Keeps the bytes, after their hash, if a folder can be written to; without a cache everything works, only slower.
   * What the new file replaces goes: names that differ behind the last dash, and what was not used for long.
   */
  void write(String name, byte[] bytes) {
    byte[] all = Arrays.copyOf(hash(bytes), HASH + bytes.length);
    System.arraycopy(bytes, 0, all, HASH, bytes.length);
    List<String> failures = new ArrayList<>();
    for (Path path : paths) {
      try {
        place(path.resolve(name), all);
        prune(path.resolve(name));
        return;
      } catch (IOException e) {
        failures.add(e.toString());
      }
    }
    LOG.warn("Cannot keep {} for the next start: {}", name, failures);
  }

  void delete(String name) {
    for (Path path : paths) {
      try {
        Files.deleteIfExists(path.resolve(name));
      } catch (IOException e) {
        LOG.warn("Cannot delete the cached {}: {}", name, e.toString());
      }
    }
  }

  private static void prune(Path written) {
    String name = written.getFileName().toString();
    String start = name.substring(0, name.lastIndexOf('-') + 1);
    try (DirectoryStream<Path> files = Files.newDirectoryStream(written.getParent(), Files::isRegularFile)) {
      for (Path file : files) {
        String other = file.getFileName().toString();
        boolean replaced = !start.isEmpty() && other.startsWith(start) && other.indexOf('-', start.length()) < 0
            && !other.equals(name);
        if (replaced || isOlder(file, other.endsWith(".part") ? DAY : UNUSED)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      LOG.debug("Cannot tidy up beside {}: {}", written, e.toString()); // another process did
    }
  }

  /** False for a file that another process just deleted. */
  private static boolean isOlder(Path file, Duration age) throws IOException {
    return Files.exists(file) && Files.getLastModifiedTime(file).toInstant().isBefore(Instant.now().minus(age));
  }

  /** Writes a file that others see whole or not at all, also after the machine lost its power. */
  static void place(Path file, byte[] bytes) throws IOException {
    Files.createDirectories(file.getParent());
    Path partial = Files.createTempFile(file.getParent(), "." + file.getFileName(), ".part");
    try {
      try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        while (rest.hasRemaining()) {
          channel.write(rest);
        }
        channel.force(true); // or the name may reach the disk before the contents
      }
      try {
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  private static byte[] hash(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }
}
