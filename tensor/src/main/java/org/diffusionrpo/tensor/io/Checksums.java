package org.diffusionrpo.tensor.io;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A list of the SHA-256 of each file of a folder, in the format of {@code sha256sum}. It is written last, so a folder
 * with a list that holds is complete and unchanged.
 */
public final class Checksums {
  /** The name of the list in its folder. */
  public static final String FILE_NAME = "SHA256SUMS";

  private static final Pattern LINE = Pattern.compile("([0-9a-f]{64})  (.+)");

  private Checksums() {}

  /** Lists all regular files below {@code folder}, but hidden ones: those are somebody's, or unfinished. */
  public static void write(Path folder) throws IOException {
    StringBuilder list = new StringBuilder();
    for (Path file : files(folder)) {
      String name = name(folder, file);
      if (name.matches("(?s).*[\\\\\\p{Cntrl}].*")) {
        throw new IOException(folder + ": cannot list a file of the name " + Messages.quote(name));
      }
      list.append(sha256(file)).append("  ").append(name).append('\n');
    }
    AtomicFiles.write(folder.resolve(FILE_NAME), list.toString());
  }

  /** Compares every listed file; {@link IOException} that names the first one missing or changed, or a missing list. */
  public static void verify(Path folder) throws IOException {
    Path list = folder.resolve(FILE_NAME);
    if (!Files.isRegularFile(list)) {
      throw new NoSuchFileException(folder.toString(), null,
          "has no " + FILE_NAME + ", so it was not written to its end");
    }
    for (String line : Files.readAllLines(list, StandardCharsets.UTF_8)) {
      Matcher entry = LINE.matcher(line);
      if (!entry.matches()) {
        throw new IOException(list + ": not a checksum and a file name: " + Messages.quote(line));
      }
      Path file = folder.resolve(entry.group(2)).normalize();
      if (!file.startsWith(folder.normalize())) {
        throw new IOException(list + ": names a file outside of the folder: " + Messages.quote(entry.group(2)));
      }
      if (!Files.isRegularFile(file)) {
        throw new NoSuchFileException(file.toString(), null, "is missing, but listed in " + FILE_NAME);
      }
      if (!sha256(file).equals(entry.group(1))) {
        throw new IOException(file + ": has changed since " + FILE_NAME + " was written");
      }
    }
  }

  /** The SHA-256 of a file, in lower-case hexadecimal digits. */
  public static String sha256(Path file) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
    byte[] chunk = new byte[64 * 1024];
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        digest.update(chunk, 0, count);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
          .filter(file -> !file.getFileName().toString().startsWith("."))
          .filter(file -> !name(folder, file).equals(FILE_NAME))
          .sorted()
          .toList();
    } catch (UncheckedIOException e) { // what walking wraps its failures in
      throw e.getCause();
    }
  }

  private static String name(Path folder, Path file) {
    return folder.relativize(file).toString().replace(file.getFileSystem().getSeparator(), "/");
  }
}
