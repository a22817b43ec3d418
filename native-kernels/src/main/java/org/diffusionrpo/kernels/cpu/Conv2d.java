package org.diffusionrpo.kernels.cpu;

/**
 * Two-dimensional convolution of NHWC images with OHWI weights, as a matrix product whose packing walks the image.
 * <pre>
 *   x [N, H, W, C]     w [O, R, S, C]     y [N, OH, OW, O]
 *   y[n, i, j, o] = bias[o] + sum_{r, s, c} x[n, i * stride + r - padTop, j * stride + s - padLeft, c] * w[o, r, s, c]
 *   OH = (H + padTop + padBottom - R) / stride + 1, rounded down; OW likewise
 * </pre>
 * With M = N * OH * OW, K = R * S * C: forward is [M, K] x [K, O], backward-filter [O, M] x [M, K].
 */
public final class Conv2d {
  private Conv2d() {}

  /** Sizes of one convolution. Padding may differ on each side, as in the VAE's downsampling. */
  public record Geometry(int batch, int height, int width, int inChannels, int outChannels, int kernelHeight,
      int kernelWidth, int stride, int padTop, int padLeft, int padBottom, int padRight) {
    public Geometry {
      positive("batch", batch);
      positive("height", height);
      positive("width", width);
      positive("inChannels", inChannels);
      positive("outChannels", outChannels);
      positive("kernelHeight", kernelHeight);
      positive("kernelWidth", kernelWidth);
      positive("stride", stride);
      if (Math.min(Math.min(padTop, padLeft), Math.min(padBottom, padRight)) < 0) {
        throw new IllegalArgumentException("Conv2d: negative padding " + padTop + ", " + padLeft + ", " + padBottom
            + ", " + padRight);
      }
      if (height + padTop + padBottom < kernelHeight || width + padLeft + padRight < kernelWidth) {
        throw new IllegalArgumentException("Conv2d: kernel " + kernelHeight + " x " + kernelWidth
            + " is larger than the padded image " + (height + padTop + padBottom) + " x "
            + (width + padLeft + padRight));
      }
    }

    public int outHeight() {
      return (height + padTop + padBottom - kernelHeight) / stride + 1;
    }

    public int outWidth() {
      return (width + padLeft + padRight - kernelWidth) / stride + 1;
    }

    int outPositions() {
      return Math.multiplyExact(batch, outHeight() * outWidth());
    }

    /** Elements of one filter, K. */
    int filter() {
      return kernelHeight * kernelWidth * inChannels;
    }

    /** True when every output position sees exactly its own input position: then x is the matrix [M, C]. */
    boolean pointwise() {
      return kernelHeight == 1 && kernelWidth == 1 && stride == 1 && outHeight() == height && outWidth() == width;
    }

    private static void positive(String name, int value) {
      if (value < 1) {
        throw new IllegalArgumentException("Conv2d: " + name + " is " + value + ", expected at least 1");
      }
    }

    private long inputs() {
      return (long) batch * height * width * inChannels;
    }

    private long outputs() {
      return (long) batch * outHeight() * outWidth() * outChannels;
    }
  }

  /** y = convolution of x with w, plus bias unless it is null. */
  public static void forward(float[] y, float[] x, Weights w, float[] biasOrNull, Geometry g) {
    require("y", y.length, g.outputs());
    require("x", x.length, g.inputs());
    require("w", w.length(), (long) g.outChannels() * g.filter());
    if (biasOrNull != null) {
      require("bias", biasOrNull.length, g.outChannels());
    }
    if (Winograd.suits(g)) {
      Winograd.forward(y, x, w, biasOrNull, g);
      return;
    }
    PanelSource rows = g.pointwise() ? Matrix.rowMajor(x, 0, g.inChannels()).rows() : window(x, g);
    PanelSource filters = Matrix.transposed(w, 0, g.filter()).columns();
    Gemm.KERNEL.run(new Product(y, 0, g.outChannels(), rows, filters, biasOrNull, g.outPositions(), g.outChannels(),
        g.filter(), false));
  }

  /** dx = gradient with respect to x; overwritten. */
  public static void backwardData(float[] dx, float[] dy, Weights w, Geometry g) {
    require("dx", dx.length, g.inputs());
    require("dy", dy.length, g.outputs());
    require("w", w.length(), (long) g.outChannels() * g.filter());
    if (g.pointwise()) {
      Gemm.multiply(dx, Matrix.rowMajor(dy, 0, g.outChannels()), Matrix.rowMajor(w, 0, g.inChannels()), null,
          g.outPositions(), g.inChannels(), g.outChannels(), false);
      return;
    }
    if (Winograd.suits(g)) {
      Winograd.backwardData(dx, dy, w, g);
      return;
    }
    for (int row = 0; row < Math.min(g.stride(), g.height()); row++) {
      for (int column = 0; column < Math.min(g.stride(), g.width()); column++) {
        backwardPhase(dx, dy, w, g, row, column);
      }
    }
  }

  /**
   * Pixels (row + i * stride, column + j * stride) of dx. They see only every stride-th kernel row and column, so one
   * phase is a convolution of dy with stride 1, and no product with a zero between strides is ever formed.
   */
  private static void backwardPhase(float[] dx, float[] dy, Weights w, Geometry g, int row, int column) {
    int stride = g.stride();
    int firstRow = (row + g.padTop()) % stride;
    int firstColumn = (column + g.padLeft()) % stride;
    int tapRows = steps(firstRow, g.kernelHeight(), stride);
    int tapColumns = steps(firstColumn, g.kernelWidth(), stride);
    int rows = steps(row, g.height(), stride);
    int columns = steps(column, g.width(), stride);
    Window window = new Window(dy, g.outHeight(), g.outWidth(), g.outChannels(), rows, columns, tapRows, tapColumns, 1,
        -1, (row + g.padTop() - firstRow) / stride, (column + g.padLeft() - firstColumn) / stride);
    int m = g.batch() * rows * columns;
    int n = g.inChannels();
    float[] out = stride == 1 ? dx : Workspace.PHASE.floats(Math.multiplyExact(m, n));
    Gemm.KERNEL.run(new Product(out, 0, n, window,
        new KernelTaps(w, g, firstRow, firstColumn, tapColumns), null, m, n, tapRows * tapColumns * g.outChannels(),
        false));
    if (stride > 1) {
      Parallel.ranges(g.batch() * rows, Math.max(1, Parallel.GRAIN / (columns * n)), (from, to) -> {
        for (int line = from; line < to; line++) {
          int pixel = (line / rows * g.height() + row + line % rows * stride) * g.width() + column;
          for (int j = 0; j < columns; j++) {
            System.arraycopy(out, (line * columns + j) * n, dx, (pixel + j * stride) * n, n);
          }
        }
      });
    }
  }

  /** Numbers first, first + stride, ... below end. */
  private static int steps(int first, int end, int stride) {
    return first >= end ? 0 : (end - first - 1) / stride + 1;
  }

  /** Adds the gradient with respect to w to dw, and with respect to the bias to db; either may be null. */
  public static void backwardFilter(float[] dw, float[] db, float[] dy, float[] x, Geometry g) {
    require("dy", dy.length, g.outputs());
    require("x", x.length, g.inputs());
    if (dw != null) {
      require("dw", dw.length, (long) g.outChannels() * g.filter());
      if (Winograd.suits(g)) {
        Winograd.backwardFilter(dw, dy, x, g);
      } else {
        PanelSource columns =
            g.pointwise() ? Matrix.rowMajor(x, 0, g.inChannels()).columns() : window(x, g).taps();
        Gemm.KERNEL.run(new Product(dw, 0, g.filter(), Matrix.transposed(dy, 0, g.outChannels()).rows(), columns, null,
            g.outChannels(), g.filter(), g.outPositions(), true));
      }
    }
    if (db != null) {
      require("db", db.length, g.outChannels());
      Elementwise.sumRows(db, dy, g.outPositions(), g.outChannels());
    }
  }

  private static Window window(float[] x, Geometry g) {
    return new Window(x, g.height(), g.width(), g.inChannels(), g.outHeight(), g.outWidth(), g.kernelHeight(),
        g.kernelWidth(), g.stride(), 1, -g.padTop(), -g.padLeft());
  }

  private static void require(String name, int length, long expected) {
    if (length < expected) {
      throw new IllegalArgumentException("Conv2d: " + name + " has " + length + " elements, expected " + expected);
    }
  }
}
