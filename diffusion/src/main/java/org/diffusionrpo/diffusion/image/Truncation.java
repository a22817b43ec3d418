package org.diffusionrpo.diffusion.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Finds cut-off files, which the decoders would otherwise return as pictures with a grey or black lower part. */
final class Truncation {
  private static final int JPEG_START_OF_SCAN = 0xda;
  private static final int JPEG_END_OF_IMAGE = 0xd9;

  private Truncation() {}

  static void check(byte[] bytes, String name) throws IOException {
    if (bytes.length == 0) {
      throw new IOException(name + ": empty file");
    }
    if (PngChunks.isPng(bytes)) {
      PngChunks.parse(bytes, name);
    } else if (isJpeg(bytes) && lastMarker(bytes, JPEG_END_OF_IMAGE) <= lastMarker(bytes, JPEG_START_OF_SCAN)) {
      throw new IOException(name + ": truncated JPEG");
    } else if (isWebp(bytes) && riffLength(bytes) > bytes.length) {
      throw new IOException(name + ": truncated WebP");
    }
  }

  private static boolean isJpeg(byte[] bytes) {
    return bytes.length > 2 && (bytes[0] & 0xff) == 0xff && (bytes[1] & 0xff) == 0xd8;
  }

  /** Inside a scan every 0xff byte is followed by 0 or a restart marker, so the search cannot hit pixel data. */
  private static int lastMarker(byte[] bytes, int marker) {
    int i = bytes.length - 2;
    while (i >= 0 && ((bytes[i] & 0xff) != 0xff || (bytes[i + 1] & 0xff) != marker)) {
      i--;
    }
    return i;
  }

  private static boolean isWebp(byte[] bytes) {
    return bytes.length >= 12 && ascii(bytes, 0).equals("RIFF") && ascii(bytes, 8).equals("WEBP");
  }

  private static String ascii(byte[] bytes, int at) {
    return new String(bytes, at, 4, StandardCharsets.ISO_8859_1);
  }

  private static long riffLength(byte[] bytes) {
    return 8 + Integer.toUnsignedLong(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(4));
  }
}
