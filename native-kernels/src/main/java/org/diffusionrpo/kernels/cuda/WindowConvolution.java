package org.diffusionrpo.kernels.cuda;

import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;

/**
 * Convolution as a product with the matrix of windows: row p holds the K = R S C values that output position p sees.
 *
 * <pre>
 * y [M, O] = windows [M, K] w'        dw [O, K] += dy' windows        windows of dx = dy w, summed where they overlap
 * </pre>
 *
 * The matrix is nine times the image for a kernel of 3x3, so a piece of it is in memory at a time.
 */
final class WindowConvolution {
  /** Bytes of a piece. */
  private static final long PIECE = 64L << 20;

  private final CudaDevice device;
  private final Gemm gemm;
  private final Im2col im2col;
  private final long piece;

  WindowConvolution(CudaDevice device, Gemm gemm) {
    this(device, gemm, PIECE);
  }

  /** @param piece bytes of windows at a time; a row of output positions may need more */
  WindowConvolution(CudaDevice device, Gemm gemm, long piece) {
    this.device = device;
    this.gemm = gemm;
    this.im2col = new Im2col(device);
    this.piece = piece;
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

  /**
   * A piece has whole images, or else a band of output rows of one image: bands overlap in the pixels that both see,
   * and are summed from the first to the last.
   */
  void backwardData(DeviceBuffer dx, DeviceBuffer dy, Operand w, Geometry g) {
    int k = window(g);
    int out = g.outChannels();
    long image = (long) g.height() * g.width() * g.inChannels();
    long rowBytes = 4L * g.outWidth() * k;
    int rows = atMost(g.outHeight(), piece / rowBytes);
    int samples = rows < g.outHeight() ? 1 : atMost(g.batch(), piece / (rowBytes * rows));
    try (DeviceBuffer windows = device.memory().take(samples * rows * rowBytes)) {
      for (int first = 0; first < g.batch(); first += samples) {
        int count = Math.min(samples, g.batch() - first);
        for (int row = 0; row < g.outHeight(); row += rows) {
          int band = Math.min(rows, g.outHeight() - row);
          long position = ((long) first * g.outHeight() + row) * g.outWidth();
          gemm.multiply(windows, k, Operand.f32(dy.at(4L * position * out)), out, false, w, k, false,
              count * band * g.outWidth(), k, out, 1, 0);
          im2col.sum(dx.at(4L * first * image), windows, g, count, row, band);
        }
      }
    }
  }

  private interface Task {
    void use(DeviceBuffer windows, long first, int count);
  }

  private void gather(DeviceBuffer x, Geometry g, Task task) {
    int k = window(g);
    long positions = (long) g.batch() * g.outHeight() * g.outWidth();
    int most = atMost(positions, piece / (4L * k));
    try (DeviceBuffer windows = device.memory().take(4L * most * k)) {
      for (long first = 0; first < positions; first += most) {
        int count = (int) Math.min(most, positions - first);
        im2col.gather(windows, x, g, first, count);
        task.use(windows, first, count);
      }
    }
  }

  /** As many as fit, but one at least. */
  private static int atMost(long all, long fitting) {
    return Math.toIntExact(Math.max(1, Math.min(all, fitting)));
  }

  private static int window(Geometry g) {
    return g.kernelHeight() * g.kernelWidth() * g.inChannels();
  }
}
