package org.diffusionrpo.kernels.cuda;

import java.util.List;
import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against the definition, with all windows at once and in pieces: images, bands of rows, single positions. */
class WindowConvolutionTest extends OnDevice {
  /** Sums of at most some hundred floats. */
  private static final double TOLERANCE = 2e-6;

  private final Gemm gemm = new Gemm(device);

  /** Batch, height, width, channels, filters, kernel height and width, stride; padding top, left, bottom, right. */
  static List<Geometry> geometries() {
    return List.of(
        new Geometry(3, 7, 5, 3, 4, 3, 3, 1, 1, 1, 1, 1),
        new Geometry(2, 9, 8, 8, 5, 3, 3, 2, 0, 0, 1, 1),
        new Geometry(2, 5, 9, 4, 3, 2, 5, 3, 2, 0, 1, 3),
        new Geometry(1, 11, 11, 5, 2, 2, 2, 4, 0, 1, 0, 0),
        new Geometry(2, 3, 3, 4, 3, 2, 2, 1, 4, 0, 5, 3));
  }

  @ParameterizedTest
  @MethodSource("geometries")
  void everySizeOfAPieceGivesTheDefinition(Geometry g) {
    int window = g.kernelHeight() * g.kernelWidth() * g.inChannels();
    int positions = g.batch() * g.outHeight() * g.outWidth();
    float[] x = gaussian(1, g.batch() * g.height() * g.width() * g.inChannels());
    float[] w = gaussian(2, g.outChannels() * window);
    float[] dy = gaussian(3, positions * g.outChannels());
    float[] y = new float[dy.length];
    float[] dx = new float[x.length];
    float[] dw = gaussian(4, w.length);
    float[] dwBefore = dw.clone();
    convolve(g, x, w, dy, y, dx, dw);

    long row = 4L * g.outWidth() * window;
    for (long piece : new long[] {1, 2 * row, row * g.outHeight(), row * g.outHeight() * g.batch()}) {
      WindowConvolution windows = new WindowConvolution(device, gemm, piece);
      DeviceBuffer result = empty(y.length);
      windows.forward(result, upload(x), Operand.f32(upload(w)), g);
      assertClose("y", y, read(result, y.length), TOLERANCE);
      result = empty(dx.length);
      windows.backwardData(result, upload(dy), Operand.f32(upload(w)), g);
      assertClose("dx", dx, read(result, dx.length), TOLERANCE);
      result = upload(dwBefore);
      windows.backwardFilter(result, upload(dy), upload(x), g);
      assertClose("dw", dw, read(result, dw.length), TOLERANCE);
    }
  }

  /** y and dx from zero, dw added to. */
  private static void convolve(Geometry g, float[] x, float[] w, float[] dy, float[] y, float[] dx, float[] dw) {
    int window = g.kernelHeight() * g.kernelWidth() * g.inChannels();
    for (int position = 0; position < dy.length / g.outChannels(); position++) {
      int n = position / g.outWidth() / g.outHeight();
      int top = position / g.outWidth() % g.outHeight() * g.stride() - g.padTop();
      int left = position % g.outWidth() * g.stride() - g.padLeft();
      for (int k = 0; k < window; k++) {
        int h = top + k / g.inChannels() / g.kernelWidth();
        int column = left + k / g.inChannels() % g.kernelWidth();
        if (h < 0 || h >= g.height() || column < 0 || column >= g.width()) {
          continue;
        }
        int pixel = ((n * g.height() + h) * g.width() + column) * g.inChannels() + k % g.inChannels();
        for (int o = 0; o < g.outChannels(); o++) {
          int out = position * g.outChannels() + o;
          y[out] += x[pixel] * w[o * window + k];
          dx[pixel] += dy[out] * w[o * window + k];
          dw[o * window + k] += dy[out] * x[pixel];
        }
      }
    }
  }
}
