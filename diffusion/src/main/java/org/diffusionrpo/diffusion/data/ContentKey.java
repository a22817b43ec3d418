package org.diffusionrpo.diffusion.data;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** The SHA-256 of a content, as 32 bytes in big-endian order: equal keys mean equal contents. */
public record ContentKey(long a, long b, long c, long d) {
  /** Bytes of a key. */
  public static final int BYTES = 32;

  /** The key of a picture's bytes, or of any other. */
  public static ContentKey of(byte[] content) {
    return read(ByteBuffer.wrap(sha256().digest(content)));
  }

  /** The key of a text in UTF-8. */
  public static ContentKey of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /** The key of several keys in this order. */
  public static ContentKey of(ContentKey... parts) {
    ByteBuffer bytes = ByteBuffer.allocate(parts.length * BYTES);
    for (ContentKey part : parts) {
      part.write(bytes);
    }
    return of(bytes.array());
  }

  /** Takes the next 32 bytes. */
  public static ContentKey read(ByteBuffer in) {
    return new ContentKey(in.getLong(), in.getLong(), in.getLong(), in.getLong());
  }

  /** Adds 32 bytes. */
  public void write(ByteBuffer out) {
    out.putLong(a).putLong(b).putLong(c).putLong(d);
  }

  /** 64 lower-case hexadecimal digits. */
  public String hex() {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES);
    write(bytes);
    return HexFormat.of().formatHex(bytes.array());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
