package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class Im2colTest extends OnDevice {
  /** A sum of at most nine floats. */
  private static final double TOLERANCE = 1e-6;

  private final Im2col im2col = new Im2col(device);

  /** Batch, height, width, channels, filters, kernel height and width, stride; padding top, left, bottom, right. */
  static List<Geometry> geometries() {
    return List.of(
        new Geometry(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0),
        new Geometry(2, 7, 5, 3, 1, 3, 3, 1, 1, 1, 1, 1),
        new Geometry(2, 8, 6, 8, 1, 3, 3, 1, 1, 1, 1, 1),
        new Geometry(2, 9, 8, 16, 1, 3, 3, 2, 0, 0, 1, 1), // the VAE's downsampling
        new Geometry(1, 6, 6, 320, 1, 3, 3, 2, 1, 1, 1, 1),
        new Geometry(3, 5, 9, 4, 1, 2, 5, 3, 2, 0, 1, 3),
        new Geometry(1, 11, 11, 5, 1, 2, 2, 4, 0, 1, 0, 0), // pixels that no window sees
        new Geometry(1, 2, 3, 2, 1, 5, 4, 1, 4, 3, 2, 1),
        new Geometry(2, 3, 3, 4, 1, 2, 2, 1, 4, 0, 5, 3), // windows of nothing but padding
        new Geometry(2, 8, 8, 4, 1, 1, 1, 2, 0, 0, 0, 0));
  }

  /** Calls {@code visit} for each element of the windows that is inside the image. */
  private static void forEachTap(Geometry g, Tap visit) {
    int window = g.kernelHeight() * g.kernelWidth() * g.inChannels();
    for (int n = 0; n < g.batch(); n++) {
      for (int i = 0; i < g.outHeight(); i++) {
        for (int j = 0; j < g.outWidth(); j++) {
          for (int k = 0; k < window; k++) {
            int c = k % g.inChannels();
            int s = k / g.inChannels() % g.kernelWidth();
            int r = k / g.inChannels() / g.kernelWidth();
            int h = i * g.stride() + r - g.padTop();
            int w = j * g.stride() + s - g.padLeft();
            if (h >= 0 && h < g.height() && w >= 0 && w < g.width()) {
              visit.at(((n * g.outHeight() + i) * g.outWidth() + j) * window + k,
                  ((n * g.height() + h) * g.width() + w) * g.inChannels() + c);
            }
          }
        }
      }
    }
  }

  private interface Tap {
    void at(int windowElement, int pixelElement);
  }

  private static int pixels(Geometry g) {
    return g.batch() * g.height() * g.width() * g.inChannels();
  }

  private static int window(Geometry g) {
    return g.kernelHeight() * g.kernelWidth() * g.inChannels();
  }

  private static int positions(Geometry g) {
    return g.batch() * g.outHeight() * g.outWidth();
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void gathersTheWindows(Geometry g) {
    float[] x = gaussian(1, pixels(g));
    float[] expected = new float[positions(g) * window(g)];
    forEachTap(g, (to, from) -> expected[to] = x[from]);
    for (boolean odd : new boolean[] {false, true}) {
      DeviceBuffer image = upload(x, odd);
      DeviceBuffer windows = empty(expected.length, odd);
      im2col.gather(windows, image, g, 0, positions(g));
      assertArrayEquals(expected, read(windows, expected.length));
      int first = positions(g) / 3;
      int count = positions(g) - first;
      DeviceBuffer piece = empty(count * window(g));
      im2col.gather(piece, image, g, first, count);
      assertArrayEquals(Arrays.copyOfRange(expected, first * window(g), expected.length),
          read(piece, count * window(g)));
    }
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void sumsTheWindows(Geometry g) {
    float[] windows = gaussian(2, positions(g) * window(g));
    float[] expected = new float[pixels(g)];
    forEachTap(g, (from, to) -> expected[to] += windows[from]);
    for (boolean odd : new boolean[] {false, true}) {
      DeviceBuffer dx = empty(expected.length, odd);
      im2col.sum(dx, upload(windows, odd), g, g.batch(), 0, g.outHeight());
      assertClose("dx", expected, read(dx, expected.length), TOLERANCE);
    }
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void sumsAnImagePieceByPiece(Geometry g) {
    float[] windows = gaussian(2, positions(g) * window(g));
    float[] expected = new float[pixels(g)];
    forEachTap(g, (from, to) -> expected[to] += windows[from]);
    int line = g.outWidth() * window(g);
    for (int rows : new int[] {1, 2, 3}) {
      DeviceBuffer dx = empty(expected.length);
      for (int first = 0; first < g.outHeight(); first += rows) {
        int count = Math.min(rows, g.outHeight() - first);
        float[] piece = new float[g.batch() * count * line];
        for (int n = 0; n < g.batch(); n++) {
          System.arraycopy(windows, (n * g.outHeight() + first) * line, piece, n * count * line, count * line);
        }
        im2col.sum(dx, upload(piece), g, g.batch(), first, count);
      }
      assertClose("dx", expected, read(dx, expected.length), TOLERANCE);
    }
  }
}
