package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Some keys of one matrix in {@link AttentionBackward}, with their gradients. All queries pass by, a tile at a time,
 * and meet the chunk's panels of keys.
 */
final class AttentionChunk {
  /** Arrays of [keys, headDim]: k and v as columns, k as rows, and both gradients. */
  static final int ARRAYS = 5;

  private static final AttentionTile GEMM = Simd.ATTENTION_TILE;
  private static final AttentionMath MATH = Simd.ATTENTION;
  private static final int MR = GEMM.rows();
  private static final int NR = GEMM.columns();
  /** Queries of one tile of scores. */
  private static final int TILE = 96;

  private final AttentionBackward call;
  private final AttentionSizes sizes;
  private final int headDim;
  private final int width;
  private final int stride;
  private final int matrix;
  private final int first;
  private final int count;
  private final int panels;
  private final int gradientSize;
  private final float[] kColumns;
  private final float[] vColumns;
  /** Right operand of dq: keys as rows, filled up to whole vectors. */
  private final float[] kRows;
  private final float[] dkColumns;
  private final float[] dvColumns;
  private final float[] qRows;
  private final float[] dOutRows;
  private final float[] qPanels;
  private final float[] dOutPanels;
  private final float[] s = Workspace.SCORES.floats(TILE * NR);
  private final float[] ds = Workspace.SCORE_GRADIENTS.floats(TILE * NR);

  /** The arrays are the thread's: a chunk is done before the next begins. */
  AttentionChunk(AttentionBackward call, int matrix, int first, int count) {
    this.call = call;
    this.sizes = call.sizes;
    this.headDim = sizes.headDim();
    this.width = call.plan.width();
    this.stride = sizes.stride();
    this.matrix = matrix;
    this.first = first;
    this.count = count;
    this.panels = (count + NR - 1) / NR;
    this.gradientSize = AttentionPanels.ceil(headDim, MR) * NR;
    this.kColumns = Workspace.KEY_COLUMNS.floats(panels * headDim * NR);
    this.vColumns = Workspace.VALUE_COLUMNS.floats(panels * headDim * NR);
    this.kRows = Workspace.KEY_ROWS.floats(count * width);
    this.dkColumns = Workspace.KEY_GRADIENTS.floats(panels * gradientSize);
    this.dvColumns = Workspace.VALUE_GRADIENTS.floats(panels * gradientSize);
    this.qRows = Workspace.QUERY_ROWS.floats(AttentionPanels.rowSize(TILE, headDim));
    this.dOutRows = Workspace.GRADIENT_ROWS.floats(AttentionPanels.rowSize(TILE, headDim));
    this.qPanels = Workspace.QUERY_PANELS.floats(TILE * headDim);
    this.dOutPanels = Workspace.GRADIENT_PANELS.floats(TILE * headDim);
  }

  /** Overwrites dk and dv of the chunk, which has all keys of the matrix, and dq. */
  void finish() {
    float[] sums = Workspace.QUERY_GRADIENTS.floats(TILE * width);
    packKeys();
    for (int query = 0; query < sizes.queries(); query += TILE) {
      int rows = Math.min(TILE, sizes.queries() - query);
      Arrays.fill(sums, 0, AttentionPanels.ceil(rows, MR) * width, 0);
      queries(query, rows, sums, 0);
      int target = sizes.queryStart(matrix) + query * stride;
      for (int i = 0; i < rows; i++) {
        Simd.MATH.scale(call.dq, target + i * stride, sums, i * width, sizes.scale(), headDim);
      }
    }
    unpackGradients();
  }

  /** Overwrites dk and dv of the chunk; adds to the sums of dq, {@code [queries, width]} from index {@code at} on. */
  void addTo(float[] sums, int at) {
    packKeys();
    for (int query = sizes.causal() ? first / TILE * TILE : 0; query < sizes.queries(); query += TILE) {
      queries(query, Math.min(TILE, sizes.queries() - query), sums, at + query * width);
    }
    unpackGradients();
  }

  private void packKeys() {
    int row = sizes.keyStart(matrix) + first * stride;
    AttentionPanels.copyRows(kRows, 0, width, call.k, row, stride, count, headDim);
    for (int panel = 0; panel < panels; panel++) {
      int source = row + panel * NR * stride;
      int columns = Math.min(NR, count - panel * NR);
      AttentionPanels.packColumns(kColumns, panel * headDim * NR, call.k, source, stride, columns, headDim, 1);
      AttentionPanels.packColumns(vColumns, panel * headDim * NR, call.v, source, stride, columns, headDim, 1);
    }
    Arrays.fill(dkColumns, 0, panels * gradientSize, 0);
    Arrays.fill(dvColumns, 0, panels * gradientSize, 0);
  }

  private void unpackGradients() {
    int row = sizes.keyStart(matrix) + first * stride;
    for (int panel = 0; panel < panels; panel++) {
      int target = row + panel * NR * stride;
      int at = panel * gradientSize;
      int columns = Math.min(NR, count - panel * NR);
      AttentionPanels.unpackColumns(call.dk, target, stride, dkColumns, at, columns, headDim, sizes.scale());
      AttentionPanels.unpackColumns(call.dv, target, stride, dvColumns, at, columns, headDim, 1);
    }
  }

  /**
   * A tile of queries by all panels of the chunk. The rows are copied before they are transposed, since copies wait for
   * many cache misses at once.
   */
  private void queries(int query, int rows, float[] sums, int at) {
    int from = sizes.queryStart(matrix) + query * stride;
    AttentionPanels.copyRows(qRows, 0, headDim, call.q, from, stride, rows, headDim);
    AttentionPanels.copyRows(dOutRows, 0, headDim, call.dOut, from, stride, rows, headDim);
    AttentionPanels.packPanels(qPanels, 0, qRows, 0, headDim, rows, headDim, sizes.scaleToBase2());
    AttentionPanels.packPanels(dOutPanels, 0, dOutRows, 0, headDim, rows, headDim, 1);
    for (int panel = 0; panel < panels; panel++) {
      int key = first + panel * NR;
      if (!sizes.causal() || key < query + rows) {
        scores(query, rows, panel);
        addKeyGradients(panel, rows);
        addQueryGradient(sums, at, rows, panel * NR * width, Math.min(NR, count - panel * NR));
      }
    }
  }

  /** {@code s = p} and {@code ds} of the tile with one panel of keys. */
  private void scores(int query, int rows, int panel) {
    int right = panel * headDim * NR;
    for (int i = 0; i < rows; i += MR) {
      multiply(panel, s, i * NR, false, qPanels, i * headDim, MR, kColumns, right, headDim);
    }
    for (int i = 0; i < rows; i += MR) {
      multiply(panel, ds, i * NR, false, dOutPanels, i * headDim, MR, vColumns, right, headDim);
    }
    if (sizes.causal()) {
      maskEarlierQueries(rows, query - first - panel * NR);
    }
    MATH.gradient(s, ds, rows, NR, call.lse, call.delta, matrix * sizes.queries() + query);
  }

  private void addKeyGradients(int panel, int rows) {
    int at = panel * gradientSize;
    for (int d = 0; d < headDim; d += MR) {
      multiply(panel, dvColumns, at + d * NR, true, dOutRows, d, headDim, s, 0, rows);
    }
    for (int d = 0; d < headDim; d += MR) {
      multiply(panel, dkColumns, at + d * NR, true, qRows, d, headDim, ds, 0, rows);
    }
  }

  /** Half the work for a last panel that is at most half full: then nobody reads the other half. */
  private void multiply(int panel, float[] c, int co, boolean add, float[] a, int ao, int step, float[] b, int bo,
      int k) {
    if (count - panel * NR <= NR / 2) {
      GEMM.multiplyHalf(c, co, add, a, ao, step, b, bo, k);
    } else {
      GEMM.multiply(c, co, add, a, ao, step, b, bo, k);
    }
  }

  /** {@code dq [rows, headDim] += ds K}, a sum over the panel's keys. */
  private void addQueryGradient(float[] sums, int at, int rows, int right, int keys) {
    for (int i = 0; i < rows; i += MR) {
      int to = at + i * width;
      int d = 0;
      for (; d + NR <= width; d += NR) {
        GEMM.addLines(sums, to + d, width, ds, i * NR, kRows, right + d, width, keys);
      }
      if (d < width) {
        GEMM.addHalfLines(sums, to + d, width, ds, i * NR, kRows, right + d, width, keys);
      }
    }
  }

  /** Row i is query {@code i + offset} and column j is key j, both counted from the first key of the panel. */
  private void maskEarlierQueries(int rows, int offset) {
    for (int i = 0; i < Math.min(rows, NR - offset); i++) {
      Arrays.fill(s, i * NR + Math.max(0, i + offset + 1), (i + 1) * NR, Float.NEGATIVE_INFINITY);
    }
  }
}
