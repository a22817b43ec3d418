package org.diffusionrpo.kernels.cuda;

/**
 * Adafactor with an external learning rate and no momentum. Shazeer and Stern 2018, arXiv:1804.04235, algorithm 4 for
 * matrices and algorithm 5 for vectors, with the decay of section 7.2 and the decoupled weight decay of AdamW.
 * <pre>
 *   b = 1 - k^-0.8     u = g^2 + 1e-30
 *   matrix: R = b R + (1 - b) mean_columns(u)     C = b C + (1 - b) mean_rows(u)
 *           U = g / sqrt(R / mean(R)) / sqrt(C)
 *   vector: V = b V + (1 - b) u                   U = g / sqrt(V)
 *   U = U / max(1, rms(U))     w = w - lr decay w - lr U
 * </pre>
 * rms(U) is taken over the whole parameter. R, C and V start as zeros. All statistics stay on the device.
 */
public final class Adafactor {
  private static final double DECAY_EXPONENT = -0.8;
  /** Up to here one thread adds up a column of a matrix; a convolution's kernel has few rows and many columns. */
  private static final int FEW_ROWS = 64;
  private static final int THREADS = 256;
  private static final int WARPS = THREADS / 32;
  /** Of the one block that a vector gets. */
  private static final int VECTOR_THREADS = 1024;

  private final CudaDevice device;

  public Adafactor(CudaDevice device) {
    this.device = device;
  }

  /**
   * One step on a parameter of rank 2 or more, stored as {@code [outer, rows, columns, inner]}; the axes rows and
   * columns are factored. A linear layer has {@code outer = inner = 1}. A convolution's filters [O, H, W, I] have
   * {@code outer = O, rows = H, columns = W, inner = I}: the last two axes of the usual (O, I, H, W) are factored.
   *
   * @param rowState R, [outer, rows, inner]
   * @param columnState C, [outer, columns, inner]
   * @param k the number of this step, counted from 1
   */
  public void step(DeviceBuffer w, DeviceBuffer g, DeviceBuffer rowState, DeviceBuffer columnState, int outer,
      int rows, int columns, int inner, long k, double lr, double decay) {
    double keep = keep(k);
    int length = Math.multiplyExact(columns, inner);
    long lines = (long) outer * rows;
    try (DeviceBuffer rowFactor = device.memory().take(lines * inner * Float.BYTES);
        DeviceBuffer columnFactor = device.memory().take((long) outer * length * Float.BYTES)) {
      if (inner == 1) {
        launch("adafactor_rows", Grid.of(Math.toIntExact((lines + WARPS - 1) / WARPS), THREADS), rowState, g, lines,
            columns, keep);
        launch("adafactor_row_factors", Grid.of(outer, THREADS), rowFactor, rowState, rows);
      } else {
        launch("adafactor_rows_inner", Grid.elements((long) outer * inner), rowState, rowFactor, g, outer, rows,
            columns, inner, keep);
      }
      updateColumns(columnState, columnFactor, g, outer, rows, length, keep);
      update(w, g, rowFactor, columnFactor, rows, columns, inner, lines * length, lr, decay);
    }
  }

  /**
   * One step on a parameter of rank 0 or 1 with n elements.
   *
   * @param v V, [n]
   * @param k the number of this step, counted from 1
   */
  public void step(DeviceBuffer w, DeviceBuffer g, DeviceBuffer v, int n, long k, double lr, double decay) {
    launch("adafactor_vector", Grid.of(1, VECTOR_THREADS), w, g, v, (long) n, keep(k), lr, (float) (lr * decay));
  }

  private static double keep(long k) {
    if (k < 1) {
      throw new IllegalArgumentException("Adafactor: step " + k + ", expected 1 or more");
    }
    return 1 - Math.pow(k, DECAY_EXPONENT);
  }

  private void updateColumns(DeviceBuffer columnState, DeviceBuffer columnFactor, DeviceBuffer g, int outer, int rows,
      int length, double keep) {
    if (rows <= FEW_ROWS) {
      launch("adafactor_columns_direct", Grid.elements((long) outer * length), columnState, columnFactor, g, outer,
          rows, length, keep);
      return;
    }
    ColumnTiles tiles = ColumnTiles.of(rows, length);
    try (DeviceBuffer parts = device.memory().take(tiles.partBytes(outer, 1))) {
      launch("adafactor_column_parts", tiles.grid(outer), parts, g, outer, rows, length, tiles.chunkRows());
      launch("adafactor_columns", tiles.join(outer), columnState, columnFactor, parts, outer, rows, length,
          tiles.chunks(), keep);
    }
  }

  private void update(DeviceBuffer w, DeviceBuffer g, DeviceBuffer rowFactor, DeviceBuffer columnFactor, int rows,
      int columns, int inner, long n, double lr, double decay) {
    int blocks = PartSums.blocks(n);
    try (DeviceBuffer parts = device.memory().take((long) blocks * Double.BYTES);
        DeviceBuffer rate = device.memory().take(Float.BYTES)) {
      launch("adafactor_squares", Grid.of(blocks, PartSums.THREADS), parts, g, rowFactor, columnFactor, rows, columns,
          inner, n);
      launch("adafactor_rate", Grid.of(1, PartSums.THREADS), rate, parts, blocks, lr, n);
      launch("adafactor_update", Elementwise.quads(n), w, g, rowFactor, columnFactor, rate, rows, columns, inner, n,
          (float) (lr * decay));
    }
  }

  private void launch(String kernel, Grid grid, Object... arguments) {
    device.module("optimizers").launch(kernel, grid, arguments);
  }
}
