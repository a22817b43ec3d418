package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Backward pass of {@link Attention}, one pass over the scores. A task has some blocks of keys of one matrix, whose
 * gradients it finishes; it adds up its share of dq, and the shares are joined in the order of the keys.
 */
final class AttentionBackward {
  private static final AttentionTile GEMM = Simd.ATTENTION_TILE;
  private static final AttentionMath MATH = Simd.ATTENTION;
  private static final int MR = GEMM.rows();
  private static final int NR = GEMM.columns();
  /** Queries of one tile of scores. */
  private static final int TILE = 96;
  /** Panels of keys that share a tile of queries in the cache. */
  private static final int PANELS = 2;
  private static final int BLOCK = PANELS * NR;
  /** Tasks to aim for, where the heads alone are fewer: each costs a share of dq. */
  private static final int TASKS = 32;

  private final float[] dk;
  private final float[] dv;
  private final float[] k;
  private final float[] v;
  private final AttentionSizes sizes;
  private final int headDim;
  /** Leading dimension of the shares of dq: headDim in whole vectors. */
  private final int width;
  private final int taskKeys;
  private final int shares;
  private final float[] lse;
  private final float[] delta;
  private final float[] queryPanels;
  private final float[] dOutPanels;
  private final float[] queryRows;
  private final float[] dOutRows;
  private final float[] dqShares;

  AttentionBackward(float[] dk, float[] dv, float[] dOut, float[] q, float[] k, float[] v, float[] out, float[] lse,
      AttentionSizes sizes) {
    this.dk = dk;
    this.dv = dv;
    this.k = k;
    this.v = v;
    this.sizes = sizes;
    this.headDim = sizes.headDim();
    this.width = AttentionPanels.ceil(headDim, NR / 2);
    int perMatrix = (TASKS + sizes.matrices() - 1) / Math.max(1, sizes.matrices());
    this.taskKeys = AttentionPanels.ceil((sizes.keys() + perMatrix - 1) / perMatrix, BLOCK);
    this.shares = (sizes.keys() + taskKeys - 1) / taskKeys;
    this.lse = new float[lse.length];
    this.delta = new float[lse.length];
    prepare(dOut, out, lse);
    this.queryPanels = AttentionPanels.pack(Workspace.KEYS, q, sizes.scaleToBase2(), sizes, sizes.queries());
    this.dOutPanels = AttentionPanels.pack(Workspace.VALUES, dOut, 1, sizes, sizes.queries());
    this.queryRows = AttentionPanels.rows(Workspace.QUERY_ROWS, q, sizes, sizes.queries());
    this.dOutRows = AttentionPanels.rows(Workspace.GRADIENT_ROWS, dOut, sizes, sizes.queries());
    this.dqShares = Workspace.QUERY_SHARES.floats(Math.multiplyExact(sizes.matrices() * shares, shareSize()));
  }

  void run(float[] dq) {
    Parallel.run(sizes.matrices() * shares, task -> {
      int matrix = task / shares;
      Arrays.fill(dqShares, task * shareSize(), (task + 1) * shareSize(), 0);
      int first = task % shares * taskKeys;
      Scratch scratch = new Scratch();
      for (int key = first; key < Math.min(sizes.keys(), first + taskKeys); key += BLOCK) {
        block(scratch, matrix, key, task * shareSize());
      }
    });
    joinShares(dq);
  }

  /** Arrays of one task. */
  private final class Scratch {
    final float[] s = new float[TILE * NR];
    final float[] ds = new float[TILE * NR];
    final int gradientSize = AttentionPanels.ceil(headDim, MR) * NR;
    final float[] kColumns = new float[PANELS * headDim * NR];
    final float[] vColumns = new float[PANELS * headDim * NR];
    /** Right operand of dq: keys as rows, filled up to whole vectors. */
    final float[] kRows = new float[BLOCK * width];
    final float[] dkColumns = new float[PANELS * gradientSize];
    final float[] dvColumns = new float[PANELS * gradientSize];
  }

  private void block(Scratch scratch, int matrix, int first, int share) {
    int count = Math.min(BLOCK, sizes.keys() - first);
    int row = sizes.keyStart(matrix) + first * sizes.stride();
    for (int j = 0; j < count; j++) {
      System.arraycopy(k, row + j * sizes.stride(), scratch.kRows, j * width, headDim);
    }
    for (int from = 0; from < count; from += NR) {
      int at = from * headDim;
      int source = row + from * sizes.stride();
      int columns = Math.min(NR, count - from);
      AttentionPanels.packColumns(scratch.kColumns, at, k, source, sizes.stride(), columns, headDim, 1);
      AttentionPanels.packColumns(scratch.vColumns, at, v, source, sizes.stride(), columns, headDim, 1);
    }
    Arrays.fill(scratch.dkColumns, 0);
    Arrays.fill(scratch.dvColumns, 0);
    for (int query = sizes.causal() ? first / TILE * TILE : 0; query < sizes.queries(); query += TILE) {
      for (int from = 0; from < count; from += NR) {
        tile(scratch, matrix, query, first, from, Math.min(NR, count - from), share);
      }
    }
    for (int from = 0; from < count; from += NR) {
      int at = from / NR * scratch.gradientSize;
      int target = row + from * sizes.stride();
      int columns = Math.min(NR, count - from);
      AttentionPanels.unpackColumns(dk, target, sizes.stride(), scratch.dkColumns, at, columns, headDim, sizes.scale());
      AttentionPanels.unpackColumns(dv, target, sizes.stride(), scratch.dvColumns, at, columns, headDim, 1);
    }
  }

  /** Queries from {@code query} on, by the panel of keys that starts {@code from} behind the block's first. */
  private void tile(Scratch scratch, int matrix, int query, int first, int from, int columns, int share) {
    int rows = Math.min(TILE, sizes.queries() - query);
    int panels = matrix * AttentionPanels.panelSize(sizes.queries(), headDim) + query * headDim;
    products(scratch.s, queryPanels, panels, rows, scratch.kColumns, from * headDim);
    if (sizes.causal()) {
      maskEarlierQueries(scratch.s, rows, query - first - from);
    }
    products(scratch.ds, dOutPanels, panels, rows, scratch.vColumns, from * headDim);
    MATH.gradient(scratch.s, scratch.ds, rows, NR, lse, delta, matrix * sizes.queries() + query);
    int left = (matrix * sizes.queries() + query) * headDim;
    int at = from / NR * scratch.gradientSize;
    for (int d = 0; d < headDim; d += MR) {
      GEMM.multiply(scratch.dvColumns, at + d * NR, true, dOutRows, left + d, headDim, scratch.s, 0, rows);
      GEMM.multiply(scratch.dkColumns, at + d * NR, true, queryRows, left + d, headDim, scratch.ds, 0, rows);
    }
    addQueryGradient(share + query * width, scratch.ds, rows, scratch.kRows, from * width, columns);
  }

  /** {@code s [rows, NR] = left x right}, a sum over headDim. */
  private void products(float[] s, float[] left, int at, int rows, float[] right, int columns) {
    for (int i = 0; i < rows; i += MR) {
      GEMM.multiply(s, i * NR, false, left, at + i * headDim, MR, right, columns, headDim);
    }
  }

  /** {@code dq [rows, headDim] += ds K}, a sum over the panel's keys. */
  private void addQueryGradient(int share, float[] ds, int rows, float[] kRows, int at, int keys) {
    for (int i = 0; i < rows; i += MR) {
      int to = share + i * width;
      int d = 0;
      for (; d + NR <= width; d += NR) {
        GEMM.addLines(dqShares, to + d, width, ds, i * NR, kRows, at + d, width, keys);
      }
      if (d < width) {
        GEMM.addHalfLines(dqShares, to + d, width, ds, i * NR, kRows, at + d, width, keys);
      }
    }
  }

  /** Row i is query {@code i + offset} and column j is key j, both counted from the first key of the panel. */
  private static void maskEarlierQueries(float[] s, int rows, int offset) {
    for (int i = 0; i < Math.min(rows, NR - offset); i++) {
      Arrays.fill(s, i * NR + Math.max(0, i + offset + 1), (i + 1) * NR, Float.NEGATIVE_INFINITY);
    }
  }

  /** lse to the base 2, and delta [samples, heads, queries] = sum_d dOut * out, which equals sum_keys p * dp. */
  private void prepare(float[] dOut, float[] out, float[] naturalLse) {
    int queries = sizes.queries();
    Parallel.ranges(sizes.matrices() * queries, Elementwise.rowsPerTask(headDim), (from, to) -> {
      for (int row = from; row < to; row++) {
        lse[row] = (float) (naturalLse[row] / FloatFunctions.LN2);
        delta[row] = (float) dot(dOut, out, sizes.queryStart(row / queries) + row % queries * sizes.stride(), headDim);
      }
    });
  }

  /** Four sums, since each addition waits for the one before. */
  private static double dot(float[] a, float[] b, int from, int n) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = from;
    for (; i + 4 <= from + n; i += 4) {
      s0 += (double) a[i] * b[i];
      s1 += (double) a[i + 1] * b[i + 1];
      s2 += (double) a[i + 2] * b[i + 2];
      s3 += (double) a[i + 3] * b[i + 3];
    }
    for (; i < from + n; i++) {
      s0 += (double) a[i] * b[i];
    }
    return s0 + s1 + (s2 + s3);
  }

  private void joinShares(float[] dq) {
    int queries = sizes.queries();
    float scale = sizes.scale();
    Parallel.ranges(sizes.matrices() * queries, Elementwise.rowsPerTask(headDim * shares), (from, to) -> {
      for (int row = from; row < to; row++) {
        int target = sizes.queryStart(row / queries) + row % queries * sizes.stride();
        int source = row / queries * shares * shareSize() + row % queries * width;
        for (int d = 0; d < headDim; d++) {
          float sum = dqShares[source + d];
          for (int share = 1; share < shares; share++) {
            sum += dqShares[source + share * shareSize() + d];
          }
          dq[target + d] = sum * scale;
        }
      }
    });
  }

  private int shareSize() {
    return AttentionPanels.ceil(sizes.queries(), MR) * width;
  }
}
