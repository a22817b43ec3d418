package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Text that a user wrote. */
public final class TextFiles {
  private TextFiles() {}

  /** The whole text of a UTF-8 file; every fault is an {@link IOException} that names the file. */
  public static String read(Path file) throws IOException {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new IOException(file + ": is not UTF-8 text", e);
    }
  }
}
