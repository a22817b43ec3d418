package org.diffusionrpo.kernels.cuda;

import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;

/**
 * Convolution as a product with the matrix of windows: row p holds the K = R S C values that output position p sees.
 *
 * <pre>
 * y [M, O] = windows [M, K] w'        dw [O, K] += dy' windows        windows of dx = dy w, summed where they overlap
 * </pre>
 *
 * The matrix is made piece by piece, as it would be nine times the image.
 */
final class WindowConvolution {
  private static final long PIECE = 64L << 20;

  private final CudaDevice device;
  private final Gemm gemm;
  private final Im2col im2col;

  WindowConvolution(CudaDevice device, Gemm gemm) {
    this.device = device;
    this.gemm = gemm;
    this.im2col = new Im2col(device);
  }

  void forward(DeviceBuffer y, DeviceBuffer x, Operand w, Geometry g) {
    int k = window(g);
    int out = g.outChannels();
    gather(x, g, (windows, first, count) ->
        gemm.multiply(y.at(4L * first * out), out, Operand.f32(windows), k, false, w, k, true, count, out, k, 1, 0));
  }

  void backwardFilter(DeviceBuffer dw, DeviceBuffer dy, DeviceBuffer x, Geometry g) {
    int k = window(g);
    int out = g.outChannels();
    gather(x, g, (windows, first, count) ->
        gemm.multiply(dw, k, dy.at(4L * first * out), out, true, windows, k, false, out, k, count, 1, 1));
  }

  /** Windows overlap within an image, so a piece is at least one whole image. */
  void backwardData(DeviceBuffer dx, DeviceBuffer dy, Operand w, Geometry g) {
    int k = window(g);
    int out = g.outChannels();
    int positions = g.outHeight() * g.outWidth();
    long image = (long) g.height() * g.width() * g.inChannels();
    int samples = (int) Math.max(1, Math.min(g.batch(), PIECE / (4L * positions * k)));
    try (DeviceBuffer windows = device.memory().take(4L * samples * positions * k)) {
      for (int first = 0; first < g.batch(); first += samples) {
        int count = Math.min(samples, g.batch() - first);
        int rows = count * positions;
        gemm.multiply(windows, k, Operand.f32(dy.at(4L * first * positions * out)), out, false, w, k, false, rows, k,
            out, 1, 0);
        im2col.sum(dx.at(4L * first * image), windows, g, count);
      }
    }
  }

  private interface Piece {
    void use(DeviceBuffer windows, long first, int count);
  }

  private void gather(DeviceBuffer x, Geometry g, Piece piece) {
    int k = window(g);
    long positions = (long) g.batch() * g.outHeight() * g.outWidth();
    int most = (int) Math.max(1, Math.min(positions, PIECE / (4L * k)));
    try (DeviceBuffer windows = device.memory().take(4L * most * k)) {
      for (long first = 0; first < positions; first += most) {
        int count = (int) Math.min(most, positions - first);
        im2col.gather(windows, x, g, first, count);
        piece.use(windows, first, count);
      }
    }
  }

  private static int window(Geometry g) {
    return g.kernelHeight() * g.kernelWidth() * g.inChannels();
  }
}
