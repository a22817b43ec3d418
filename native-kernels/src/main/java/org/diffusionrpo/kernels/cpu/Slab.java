package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.MacroKernel.ceilDiv;

import java.util.Arrays;

/**
 * The share of a product that comes from the columns of some panels of B and from inner indices [from, to): packs that
 * piece of B, then lets bands of rows pass over it.
 */
final class Slab {
  /** Most tiles of A in one band; their lines stay in the second-level cache. */
  private static final int MOST_TILES = 8;
  /** Fewest tiles in one band, for each panel of B to be worth its way into the first-level cache. */
  private static final int LEAST_TILES = 3;
  /** A band that meets at least twice this many panels is shared out, if bands alone are too few tasks. */
  private static final int CUT_PANELS = 4;
  /** About as many tasks as this keep the cores evenly busy. */
  private static final int EVEN = 28;
  /** Neighbouring panels of B that one task packs together, and inner indices that it packs in one go. */
  private static final int GROUP = 8;
  private static final int ROWS_AT_ONCE = 32;

  private final GemmTile tile;
  private final int mr;
  private final int nr;
  private final float[] zeros;
  private final Product product;
  private final LineSource lines;
  private final float[] packed;
  private final int firstPanel;
  private final int panels;
  private final int from;
  private final int to;
  private final int kc;

  Slab(GemmTile tile, Product product, float[] packed, int firstPanel, int panels, int from, int to, int kc) {
    this.tile = tile;
    this.mr = tile.rows();
    this.nr = tile.columns();
    this.zeros = new float[nr];
    this.product = product;
    this.lines = product.a() instanceof LineSource source ? source : null;
    this.packed = packed;
    this.firstPanel = firstPanel;
    this.panels = panels;
    this.from = from;
    this.to = to;
    this.kc = kc;
  }

  /** Tasks that a slab with all columns has. */
  static int tasks(GemmTile tile, int m, int n) {
    int panels = ceilDiv(n, tile.columns());
    int bands = bands(ceilDiv(m, tile.rows()), panels);
    return bands * cuts(bands, panels);
  }

  /** As thick as they may be; thinner only where cuts across the panels do not make enough tasks of them. */
  private static int bands(int rowTiles, int panels) {
    int wanted = ceilDiv(EVEN, Math.max(1, panels / CUT_PANELS));
    return Math.max(ceilDiv(rowTiles, MOST_TILES), Math.min(wanted, ceilDiv(rowTiles, LEAST_TILES)));
  }

  private static int cuts(int bands, int panels) {
    return Math.max(1, Math.min(panels / CUT_PANELS, EVEN / bands));
  }

  void run(boolean parallel) {
    int blocks = ceilDiv(to - from, kc);
    int bands = bands(ceilDiv(product.m(), mr), panels);
    if (parallel) {
      int cuts = cuts(bands, panels);
      int groups = ceilDiv(panels, GROUP);
      Parallel.run(groups * blocks, task -> packGroup(task / blocks, from + task % blocks * kc));
      Parallel.run(bands * cuts, task -> band(task / cuts, bands, task % cuts, cuts));
    } else {
      for (int group = 0; group * GROUP < panels; group++) {
        for (int k0 = from; k0 < to; k0 += kc) {
          packGroup(group, k0);
        }
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

  /** Where lines run across panels, a few at a time are read in full, since each may lie on a page of its own. */
  private void packGroup(int group, int k0) {
    int depth = Math.min(kc, to - k0);
    int step = product.b() instanceof LineSource ? depth : ROWS_AT_ONCE;
    for (int k = k0; k < k0 + depth; k += step) {
      for (int panel = group * GROUP; panel < Math.min(panels, (group + 1) * GROUP); panel++) {
        int first = (firstPanel + panel) * nr;
        product.b().pack(tile, packed, packedAt(k0, panel) + (k - k0) * nr, nr, first,
            Math.min(nr, product.n() - first), k, Math.min(step, k0 + depth - k));
      }
    }
  }

  private void band(int band, int bands, int cut, int cuts) {
    int rowTiles = ceilDiv(product.m(), mr);
    int firstTile = (int) ((long) rowTiles * band / bands);
    int tiles = (int) ((long) rowTiles * (band + 1) / bands) - firstTile;
    int left = panels * cut / cuts;
    int right = panels * (cut + 1) / cuts;
    int tileSize = mr * (lines == null ? kc : GemmTile.LINE);
    float[] rows = Workspace.PANELS_A.floats(tiles * tileSize);
    for (int k0 = from; k0 < to; k0 += kc) {
      int depth = Math.min(kc, to - k0);
      for (int t = 0; t < tiles; t++) {
        packRows(rows, t * tileSize, (firstTile + t) * mr, k0, depth);
      }
      for (int panel = left; panel < right; panel++) {
        for (int t = 0; t < tiles; t++) {
          tile(rows, t * tileSize, packedAt(k0, panel), (firstTile + t) * mr, (firstPanel + panel) * nr, k0, depth);
        }
      }
    }
  }

  private void packRows(float[] rows, int at, int first, int k0, int depth) {
    int count = Math.min(mr, product.m() - first);
    if (lines == null) {
      product.a().pack(tile, rows, at, mr, first, count, k0, depth);
    } else {
      lines.packLines(rows, at, first, count, k0, depth);
      Arrays.fill(rows, at + count * GemmTile.LINE, at + mr * GemmTile.LINE, 0);
    }
  }

  private void tile(float[] rows, int rowsAt, int packedAt, int row, int column, int k0, int depth) {
    int height = Math.min(mr, product.m() - row);
    int width = Math.min(nr, product.n() - column);
    float[] c = product.c();
    int ldc = product.ldc();
    int at = product.cOffset() + row * ldc + column;
    boolean accumulate = product.accumulate() || k0 > 0;
    boolean whole = height == mr && width == nr;
    // Of a single block the order of bias and sum does not matter to the bits; elsewhere the bias comes last for all rows.
    boolean biasFirst = whole && product.bias() != null && !product.accumulate() && depth == product.k();
    if (!whole) {
      float[] edge = Workspace.TILE.floats(mr * nr);
      multiply(edge, 0, nr, zeros, 0, 0, rows, rowsAt, packedAt, depth);
      copyEdge(edge, at, height, width, accumulate);
    } else if (accumulate) {
      multiply(c, at, ldc, c, at, ldc, rows, rowsAt, packedAt, depth);
    } else if (biasFirst) {
      multiply(c, at, ldc, product.bias(), column, 0, rows, rowsAt, packedAt, depth);
    } else {
      multiply(c, at, ldc, zeros, 0, 0, rows, rowsAt, packedAt, depth);
    }
    if (product.bias() != null && !biasFirst && k0 + depth == product.k()) {
      for (int i = 0; i < height; i++) {
        product.addBias(at + i * ldc, column, width);
      }
    }
  }

  private void multiply(float[] c, int at, int ldc, float[] init, int initAt, int ldInit, float[] rows, int rowsAt,
      int packedAt, int depth) {
    if (lines == null) {
      tile.multiply(c, at, ldc, init, initAt, ldInit, rows, rowsAt, packed, packedAt, depth);
    } else {
      tile.multiplyLines(c, at, ldc, init, initAt, ldInit, rows, rowsAt, packed, packedAt, depth);
    }
  }

  private void copyEdge(float[] edge, int at, int height, int width, boolean accumulate) {
    float[] c = product.c();
    for (int i = 0; i < height; i++) {
      int target = at + i * product.ldc();
      for (int j = 0; j < width; j++) {
        float sum = edge[i * nr + j];
        c[target + j] = accumulate ? c[target + j] + sum : sum;
      }
    }
  }
}
