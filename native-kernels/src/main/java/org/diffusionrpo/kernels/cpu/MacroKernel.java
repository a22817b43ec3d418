package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Blocking, packing and threading of every matrix product; the arithmetic is the tile's. After Goto and van de Geijn
 * 2008, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3).
 *
 * <p>B is packed a slab of the inner dimension at a time into panels that all threads read; then each task packs a
 * block of rows of A and runs the tile over its share of C. A sum over the inner dimension is made of blocks of KC
 * terms, added in order. All borders depend on the sizes alone, so results do not depend on the number of threads.
 */
final class MacroKernel {
  /** Inner block: a panel of B of this depth stays in the first-level cache. */
  static final int KC = 256;
  /** Rows of A that one task packs at a time, in tiles. */
  private static final int ROW_TILES = 8;
  /** Most floats of B packed at once: 8 MiB, a share of the last-level cache. */
  private static final int PACKED_B = 2 * 1024 * 1024;
  /** With fewer tasks than this, two threads may wait for each other; so the product is split further. */
  private static final int ENOUGH_TASKS = 16;
  /** Least length of one part when the inner dimension is split. */
  private static final int MIN_PART = 2 * KC;
  /** Below this many multiplications the whole product stays on the calling thread. */
  private static final long SERIAL = 128 * 1024;

  private final GemmTile tile;
  private final int mr;
  private final int nr;

  MacroKernel(GemmTile tile) {
    this.tile = tile;
    this.mr = tile.rows();
    this.nr = tile.columns();
  }

  /** Computes the product on all threads. */
  void run(Product product) {
    if (product.m() == 0 || product.n() == 0) {
      return;
    }
    if (product.k() == 0) {
      finishEmpty(product);
      return;
    }
    int parts = parts(product);
    if (parts == 1) {
      slabs(product, (long) product.m() * product.n() * product.k() >= SERIAL);
    } else {
      splitInner(product, parts);
    }
  }

  /** Computes the product on the calling thread; same bits as one part of {@link #run}. */
  void runSerial(Product product) {
    if (product.m() == 0 || product.n() == 0) {
      return;
    }
    if (product.k() == 0) {
      finishEmpty(product);
      return;
    }
    slabs(product, false);
  }

  private int parts(Product product) {
    int tasks = ceilDiv(product.m(), mr * ROW_TILES) * ceilDiv(product.n(), nr);
    if (tasks >= ENOUGH_TASKS) {
      return 1;
    }
    return Math.max(1, Math.min(ceilDiv(ENOUGH_TASKS, tasks), product.k() / MIN_PART));
  }

  /** Partial products of equal ranges of the inner dimension, added up in order. */
  private void splitInner(Product product, int parts) {
    int m = product.m();
    int n = product.n();
    int size = m * n;
    float[] sums = Workspace.PARTS.floats(parts * size);
    Parallel.run(parts, part -> {
      int from = (int) ((long) product.k() * part / parts);
      int to = (int) ((long) product.k() * (part + 1) / parts);
      runSerial(new Product(sums, part * size, n, from(product.a(), from), from(product.b(), from), null, m, n,
          to - from, false));
    });
    Parallel.ranges(m, Math.max(1, Parallel.GRAIN / (n * parts)), (top, bottom) -> {
      for (int row = top; row < bottom; row++) {
        addParts(product, sums, parts, row);
      }
    });
  }

  private static PanelSource from(PanelSource source, int start) {
    return (panel, at, width, first, count, k0, kc) -> source.pack(panel, at, width, first, count, start + k0, kc);
  }

  private static void addParts(Product product, float[] sums, int parts, int row) {
    int n = product.n();
    float[] c = product.c();
    int to = product.cOffset() + row * product.ldc();
    if (!product.accumulate()) {
      Arrays.fill(c, to, to + n, 0);
    }
    for (int part = 0; part < parts; part++) {
      int from = (part * product.m() + row) * n;
      for (int j = 0; j < n; j++) {
        c[to + j] += sums[from + j];
      }
    }
    if (product.bias() != null) {
      addBias(c, to, product.bias(), 0, n);
    }
  }

  private static void finishEmpty(Product product) {
    for (int row = 0; row < product.m(); row++) {
      addParts(product, null, 0, row);
    }
  }

  private void slabs(Product product, boolean parallel) {
    int n = product.n();
    int k = product.k();
    int panels = ceilDiv(n, nr);
    int blocks = ceilDiv(k, KC);
    int kc = ceilDiv(k, blocks);
    // As many blocks of the inner dimension at once as fit; a very wide B is cut into ranges of columns as well.
    int panelsAtOnce = Math.max(1, Math.min(panels, PACKED_B / (kc * nr)));
    int blocksAtOnce = Math.max(1, Math.min(blocks, PACKED_B / (kc * nr * panelsAtOnce)));
    float[] packed = Workspace.PANELS_B.floats(Math.min(k, blocksAtOnce * kc) * nr * panelsAtOnce);
    for (int panel = 0; panel < panels; panel += panelsAtOnce) {
      int width = Math.min(panelsAtOnce, panels - panel);
      for (int block = 0; block < blocks; block += blocksAtOnce) {
        int from = block * kc;
        new Slab(product, packed, panel, width, from, Math.min(k, from + blocksAtOnce * kc), kc).run(parallel);
      }
    }
  }

  /** The share of the product that comes from columns of some panels and from inner indices [from, to). */
  private final class Slab {
    private final Product product;
    private final float[] packed;
    private final int firstPanel;
    private final int panels;
    private final int from;
    private final int to;
    private final int kc;

    Slab(Product product, float[] packed, int firstPanel, int panels, int from, int to, int kc) {
      this.product = product;
      this.packed = packed;
      this.firstPanel = firstPanel;
      this.panels = panels;
      this.from = from;
      this.to = to;
      this.kc = kc;
    }

    void run(boolean parallel) {
      int rowTiles = ceilDiv(product.m(), mr);
      int bands = ceilDiv(rowTiles, ROW_TILES);
      int cuts = Math.min(panels, Math.max(1, ENOUGH_TASKS / bands));
      if (parallel) {
        Parallel.run(panels, this::packPanel);
        Parallel.run(bands * cuts, task -> band(task / cuts, bands, task % cuts, cuts));
      } else {
        for (int panel = 0; panel < panels; panel++) {
          packPanel(panel);
        }
        for (int band = 0; band < bands; band++) {
          band(band, bands, 0, 1);
        }
      }
    }

    /** Blocks follow each other in the packed array; inside a block, panels do. */
    private int packedAt(int k0, int panel) {
      return (k0 - from) * nr * panels + panel * nr * Math.min(kc, to - k0);
    }

    private void packPanel(int panel) {
      int first = (firstPanel + panel) * nr;
      int count = Math.min(nr, product.n() - first);
      for (int k0 = from; k0 < to; k0 += kc) {
        product.b().pack(packed, packedAt(k0, panel), nr, first, count, k0, Math.min(kc, to - k0));
      }
    }

    private void band(int band, int bands, int cut, int cuts) {
      int rowTiles = ceilDiv(product.m(), mr);
      int firstTile = (int) ((long) rowTiles * band / bands);
      int tiles = (int) ((long) rowTiles * (band + 1) / bands) - firstTile;
      int left = panels * cut / cuts;
      int right = panels * (cut + 1) / cuts;
      float[] rows = Workspace.PANELS_A.floats(tiles * mr * kc);
      for (int k0 = from; k0 < to; k0 += kc) {
        int depth = Math.min(kc, to - k0);
        for (int t = 0; t < tiles; t++) {
          int first = (firstTile + t) * mr;
          product.a().pack(rows, t * mr * depth, mr, first, Math.min(mr, product.m() - first), k0, depth);
        }
        for (int panel = left; panel < right; panel++) {
          for (int t = 0; t < tiles; t++) {
            tile(rows, t * mr * depth, packedAt(k0, panel), (firstTile + t) * mr, (firstPanel + panel) * nr, k0,
                depth);
          }
        }
      }
    }

    private void tile(float[] rows, int rowsAt, int packedAt, int row, int column, int k0, int depth) {
      int height = Math.min(mr, product.m() - row);
      int width = Math.min(nr, product.n() - column);
      int at = product.cOffset() + row * product.ldc() + column;
      boolean accumulate = product.accumulate() || k0 > 0;
      if (height == mr && width == nr) {
        tile.multiply(product.c(), at, product.ldc(), rows, rowsAt, packed, packedAt, depth, accumulate);
      } else {
        float[] edge = Workspace.TILE.floats(mr * nr);
        tile.multiply(edge, 0, nr, rows, rowsAt, packed, packedAt, depth, false);
        copyEdge(edge, at, height, width, accumulate);
      }
      if (product.bias() != null && k0 + depth == product.k()) {
        for (int i = 0; i < height; i++) {
          addBias(product.c(), at + i * product.ldc(), product.bias(), column, width);
        }
      }
    }

    private void copyEdge(float[] edge, int at, int height, int width, boolean accumulate) {
      float[] c = product.c();
      for (int i = 0; i < height; i++) {
        int to = at + i * product.ldc();
        for (int j = 0; j < width; j++) {
          float sum = edge[i * nr + j];
          c[to + j] = accumulate ? c[to + j] + sum : sum;
        }
      }
    }
  }

  private static void addBias(float[] c, int at, float[] bias, int from, int length) {
    for (int j = 0; j < length; j++) {
      c[at + j] += bias[from + j];
    }
  }

  static int ceilDiv(int a, int b) {
    return (int) (((long) a + b - 1) / b);
  }
}
