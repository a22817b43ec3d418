package org.diffusionrpo.tensor.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Files that are there in full or not at all, whatever stops the program or the machine: the content goes to a
 * temporary file beside the target, is forced to the disk, takes the target's name in one step, and the folder with the
 * new name is forced too.
 */
public final class AtomicFiles {
  private static final AtomicLong COUNTER = new AtomicLong();

  private AtomicFiles() {}

  /** Writes the content of a file. */
  @FunctionalInterface
  public interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Writes or replaces {@code target}; its folder is made if need be. An old file stays whole if this throws. */
  public static void write(Path target, Content content) throws IOException {
    Path temporary = temporary(target);
    try {
      try (OutputStream out = new BufferedOutputStream(
          Files.newOutputStream(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE))) {
        content.writeTo(out);
      }
      publish(temporary, target);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** As {@link #write(Path, Content)}, of bytes in memory. */
  public static void write(Path target, byte[] bytes) throws IOException {
    write(target, out -> out.write(bytes));
  }

  /** As {@link #write(Path, Content)}, of text in UTF-8. */
  public static void write(Path target, String text) throws IOException {
    write(target, text.getBytes(StandardCharsets.UTF_8));
  }

  /** A free name beside {@code target}, hidden and ending in {@code .tmp}; makes the folder if need be. */
  static Path temporary(Path target) throws IOException {
    Path folder = folder(target);
    Files.createDirectories(folder);
    return folder.resolve(
        "." + target.getFileName() + "." + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet() + ".tmp");
  }

  /** True for the temporary file of a write that was killed, of whatever target. */
  public static boolean isTemporary(Path file) {
    return file.getFileName().toString().matches("\\..+\\.\\d+-\\d+\\.tmp");
  }

  /** Forces a finished temporary file to the disk and gives it the name {@code target}. */
  static void publish(Path temporary, Path target) throws IOException {
    force(temporary);
    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    force(folder(target));
  }

  /** Forces a file to the disk, or a folder: the names in it, not what they stand for. */
  public static void force(Path path) throws IOException {
    if (path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      force(path, StandardOpenOption.READ); // also what may not be written
    } else if (!Files.isDirectory(path)) { // elsewhere a folder cannot be opened
      force(path, StandardOpenOption.WRITE);
    }
  }

  private static void force(Path path, StandardOpenOption access) throws IOException {
    try (FileChannel channel = FileChannel.open(path, access)) {
      channel.force(true);
    }
  }

  private static Path folder(Path target) {
    return target.toAbsolutePath().getParent();
  }
}
