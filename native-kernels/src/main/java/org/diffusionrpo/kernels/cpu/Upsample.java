package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/** Nearest-neighbour resizing of NHWC data: output pixel i shows input pixel {@code floor(i * in / out)}. */
public final class Upsample {
  private Upsample() {}

  /** x [samples, height, width, channels], y [samples, outHeight, outWidth, channels]. */
  public static void nearestForward(float[] y, float[] x, int samples, int height, int width, int channels,
      int outHeight, int outWidth) {
    Parallel.ranges(samples * outHeight, Elementwise.rowsPerTask(outWidth * channels), (from, to) -> {
      for (int row = from; row < to; row++) {
        int sample = row / outHeight;
        int source = (sample * height + source(row % outHeight, height, outHeight)) * width;
        for (int j = 0; j < outWidth; j++) {
          int pixel = source + source(j, width, outWidth);
          System.arraycopy(x, pixel * channels, y, (row * outWidth + j) * channels, channels);
        }
      }
    });
  }

  /** Overwrites dx: each input pixel gets the sum over the output pixels that show it, in row-major order. */
  public static void nearestBackward(float[] dx, float[] dy, int samples, int height, int width, int channels,
      int outHeight, int outWidth) {
    Parallel.ranges(samples * height, Elementwise.rowsPerTask(width * channels), (from, to) -> {
      Arrays.fill(dx, from * width * channels, to * width * channels, 0);
      for (int row = from; row < to; row++) {
        int sample = row / height;
        int end = firstShowing(row % height + 1, height, outHeight);
        for (int i = firstShowing(row % height, height, outHeight); i < end; i++) {
          for (int j = 0; j < outWidth; j++) {
            int pixel = (row * width + source(j, width, outWidth)) * channels;
            int shown = ((sample * outHeight + i) * outWidth + j) * channels;
            Simd.MATH.add(dx, pixel, dx, pixel, dy, shown, channels);
          }
        }
      }
    });
  }

  private static int source(int i, int in, int out) {
    return (int) ((long) i * in / out);
  }

  /** The first output index whose source is {@code s} or later: the least i with i * in >= s * out. */
  private static int firstShowing(int s, int in, int out) {
    return (int) (((long) s * out + in - 1) / in);
  }
}
