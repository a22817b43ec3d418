package org.diffusionrpo.kernels.cpu;

/**
 * Blocking, packing and threading of every matrix product; the arithmetic is the tile's. After Goto and van de Geijn
 * 2008, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3).
 *
 * <p>B is packed a slab of the inner dimension at a time into panels that all threads read ({@link Slab}); then each
 * task packs a band of rows of A and runs the tile over its share of C. A sum over the inner dimension is made of
 * blocks of at most KC terms, added in order. All borders depend on the sizes alone, so results do not depend on the
 * number of threads.
 */
final class MacroKernel {
  /** Most floats of B packed at once: 4 MiB, a share of the last-level cache. */
  private static final int PACKED_B = 1024 * 1024;
  /** With fewer independent tasks than this the inner dimension is split as well. */
  private static final int ENOUGH_TASKS = 8;
  /** Parts of a split inner dimension. */
  private static final int MOST_PARTS = 16;
  /** Least length of one part. */
  private static final int MIN_PART = 2 * GemmTile.KC;
  /** Below this many multiplications the whole product stays on the calling thread. */
  private static final long SERIAL = 128 * 1024;

  /** Measured cycles per element moved; the arithmetic takes one per row of a tile and inner index. */
  private static final double COPY = 0.1;
  private static final double COPY_NARROW = 0.3;
  private static final double TRANSPOSE = 0.6;
  private static final double TRANSPOSE_RESULT = 2;

  private final GemmTile tile;

  MacroKernel(GemmTile tile) {
    this.tile = tile;
  }

  /** Computes the product on all threads. */
  void run(Product product) {
    long terms = (long) product.m() * product.n() * product.k();
    run(product, terms >= SERIAL);
  }

  /** Computes the product on the calling thread. */
  void runSerial(Product product) {
    run(product, false);
  }

  private void run(Product product, boolean parallel) {
    if (product.m() == 0 || product.n() == 0) {
      return;
    }
    if (product.k() == 0) {
      for (int row = 0; row < product.m(); row++) {
        product.addParts(null, 0, row);
      }
      return;
    }
    int m = product.m();
    int n = product.n();
    if (cost(product.a(), product.b(), m, n, product.k())
        <= cost(product.b(), product.a(), n, m, product.k()) + TRANSPOSE_RESULT * m * n) {
      split(product, parallel);
      return;
    }
    float[] ct = Workspace.SWAPPED.floats(Math.multiplyExact(m, n));
    split(product.swapped(ct), parallel);
    if (parallel) {
      Parallel.ranges(m, Math.max(16, Parallel.GRAIN / n), (top, bottom) -> product.addTransposed(ct, top, bottom));
    } else {
      product.addTransposed(ct, 0, m);
    }
  }

  /** Cycles for packing both operands once and for the arithmetic, padded to whole tiles. */
  private double cost(PanelSource a, PanelSource b, int m, int n, int k) {
    double paddedRows = (double) ceilDiv(m, tile.rows()) * tile.rows();
    double paddedColumns = (double) ceilDiv(n, tile.columns()) * tile.columns();
    double packing = paddedRows * (a instanceof LineSource ? COPY : COPY_NARROW)
        + paddedColumns * (b instanceof LineSource ? TRANSPOSE : COPY);
    return k * (packing + paddedRows * (paddedColumns / tile.columns()));
  }

  /** Few tasks along m and n, long sums: adds up partial products of equal ranges of the inner dimension, in order. */
  private void split(Product product, boolean parallel) {
    int m = product.m();
    int n = product.n();
    int parts = Math.min(MOST_PARTS, product.k() / MIN_PART);
    if (!parallel || parts <= 1 || Slab.tasks(tile, m, n) >= ENOUGH_TASKS) {
      slabs(product, parallel);
      return;
    }
    int size = Math.multiplyExact(m, n);
    float[] sums = Workspace.PARTS.floats(Math.multiplyExact(parts, size));
    Parallel.run(parts, part -> {
      int from = (int) ((long) product.k() * part / parts);
      int to = (int) ((long) product.k() * (part + 1) / parts);
      slabs(product.part(sums, part * size, from, to), false);
    });
    Parallel.ranges(m, Math.max(1, Parallel.GRAIN / (n * parts)), (top, bottom) -> {
      for (int row = top; row < bottom; row++) {
        product.addParts(sums, parts, row);
      }
    });
  }

  /** As many blocks of the inner dimension at once as fit; a very wide B is cut into ranges of columns as well. */
  private void slabs(Product product, boolean parallel) {
    int k = product.k();
    int nr = tile.columns();
    int panels = ceilDiv(product.n(), nr);
    int blocks = ceilDiv(k, GemmTile.KC);
    int kc = ceilDiv(k, blocks);
    int ranges = ceilDiv(panels, Math.max(1, PACKED_B / (kc * nr)));
    int panelsAtOnce = ceilDiv(panels, ranges);
    int blocksAtOnce = Math.max(1, Math.min(blocks, PACKED_B / (kc * nr * panelsAtOnce)));
    float[] packed = Workspace.PANELS_B.floats(Math.min(k, blocksAtOnce * kc) * nr * panelsAtOnce);
    for (int panel = 0; panel < panels; panel += panelsAtOnce) {
      int width = Math.min(panelsAtOnce, panels - panel);
      for (int block = 0; block < blocks; block += blocksAtOnce) {
        int from = block * kc;
        new Slab(tile, product, packed, panel, width, from, Math.min(k, from + blocksAtOnce * kc), kc).run(parallel);
      }
    }
  }

  static int ceilDiv(int a, int b) {
    return (int) (((long) a + b - 1) / b);
  }
}
