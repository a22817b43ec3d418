package org.diffusionrpo.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.Deflater;
import org.diffusionrpo.diffusion.image.PngChunks.Chunk;

/**
 * Writes 8-bit RGB as PNG, small rather than fast: several filter strategies are tried and the shortest stream wins.
 * Filters: W3C PNG specification, third edition, section 9.
 */
final class PngEncoder {
  private static final int COLOR_TYPE_RGB = 2;
  private static final int BYTES_PER_PIXEL = 3;
  private static final int FILTERS = 5;
  /** Not a filter of the format: each row takes the one with the least sum of absolute differences. */
  private static final int ADAPTIVE = FILTERS;
  /** Above this many pixels only the adaptive strategy runs; the others rarely win on large pictures. */
  private static final int EXHAUSTIVE_PIXELS = 256 * 256;

  private PngEncoder() {}

  static byte[] encode(RgbImage image) {
    byte[] best = deflate(filter(image, ADAPTIVE));
    if (image.width() * image.height() <= EXHAUSTIVE_PIXELS) {
      for (int type = 0; type < FILTERS; type++) {
        byte[] candidate = deflate(filter(image, type));
        if (candidate.length < best.length) {
          best = candidate;
        }
      }
    }
    byte[] header = ByteBuffer.allocate(13).putInt(image.width()).putInt(image.height())
        .put((byte) 8).put((byte) COLOR_TYPE_RGB).array(); // compression, filter and interlace methods stay 0
    return PngChunks.join(List.of(
        new Chunk("IHDR", header), new Chunk("IDAT", best), new Chunk("IEND", new byte[0])));
  }

  private static byte[] filter(RgbImage image, int strategy) {
    int stride = image.width() * BYTES_PER_PIXEL;
    byte[] out = new byte[image.height() * (stride + 1)];
    byte[] row = new byte[stride];
    for (int y = 0; y < image.height(); y++) {
      int at = y * (stride + 1);
      long least = Long.MAX_VALUE;
      for (int type = 0; type < FILTERS; type++) {
        if (strategy != ADAPTIVE && strategy != type) {
          continue;
        }
        long cost = filterRow(row, image.rgb(), y, stride, type);
        if (cost < least) {
          least = cost;
          out[at] = (byte) type;
          System.arraycopy(row, 0, out, at + 1, stride);
        }
      }
    }
    return out;
  }

  /** Returns the sum of the filtered bytes' absolute values, read as signed. */
  private static long filterRow(byte[] out, byte[] rgb, int y, int stride, int type) {
    long cost = 0;
    int start = y * stride;
    for (int i = 0; i < stride; i++) {
      int left = i < BYTES_PER_PIXEL ? 0 : rgb[start + i - BYTES_PER_PIXEL] & 0xff;
      int up = y == 0 ? 0 : rgb[start - stride + i] & 0xff;
      int corner = y == 0 || i < BYTES_PER_PIXEL ? 0 : rgb[start - stride + i - BYTES_PER_PIXEL] & 0xff;
      int prediction = switch (type) {
        case 0 -> 0;
        case 1 -> left;
        case 2 -> up;
        case 3 -> (left + up) >> 1;
        default -> paeth(left, up, corner);
      };
      out[i] = (byte) (rgb[start + i] - prediction);
      cost += Math.abs(out[i]);
    }
    return cost;
  }

  private static int paeth(int left, int up, int corner) {
    int estimate = left + up - corner;
    int toLeft = Math.abs(estimate - left);
    int toUp = Math.abs(estimate - up);
    int toCorner = Math.abs(estimate - corner);
    if (toLeft <= toUp && toLeft <= toCorner) {
      return left;
    }
    return toUp <= toCorner ? up : corner;
  }

  private static byte[] deflate(byte[] data) {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION);
    try {
      deflater.setInput(data);
      deflater.finish();
      ByteArrayOutputStream out = new ByteArrayOutputStream(data.length / 4 + 64);
      byte[] buffer = new byte[8192];
      while (!deflater.finished()) {
        out.write(buffer, 0, deflater.deflate(buffer));
      }
      return out.toByteArray();
    } finally {
      deflater.end();
    }
  }
}
