package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/** Forward pass of {@link Attention}. A task is a few panels of queries, which share each tile of keys in the cache. */
final class AttentionForward {
  private static final AttentionTile GEMM = Simd.ATTENTION_TILE;
  private static final AttentionMath MATH = Simd.ATTENTION;
  private static final int MR = GEMM.rows();
  private static final int NR = GEMM.columns();
  /** Keys of one tile of scores: with NR columns it fills a quarter of the first-level cache. */
  private static final int TILE = 96;
  private static final int PANELS = 2;
  /** Keys that one task packs, a multiple of MR. */
  private static final int PACKED = 256;

  private final float[] out;
  private final float[] lse;
  private final float[] q;
  private final float[] k;
  private final float[] v;
  private final AttentionSizes sizes;
  private final int headDim;
  private final int blocks;

  AttentionForward(float[] out, float[] lse, float[] q, float[] k, float[] v, AttentionSizes sizes) {
    this.out = out;
    this.lse = lse;
    this.q = q;
    this.k = k;
    this.v = v;
    this.sizes = sizes;
    this.headDim = sizes.headDim();
    this.blocks = (sizes.queries() + PANELS * NR - 1) / (PANELS * NR);
  }

  /** Keys that several tasks read are packed before; a task that has all queries of a matrix packs its own. */
  void run() {
    int keySize = AttentionPanels.panelSize(sizes.keys(), headDim);
    int valueSize = sizes.keys() * headDim;
    if (blocks == 1) {
      Parallel.run(sizes.matrices(), matrix -> {
        float[] keyPanels = Workspace.KEY_PANELS.floats(keySize);
        float[] valueRows = Workspace.VALUE_ROWS.floats(AttentionPanels.rowSize(sizes.keys(), headDim));
        pack(keyPanels, 0, valueRows, 0, matrix, 0, sizes.keys());
        block(matrix, 0, keyPanels, 0, valueRows, 0);
      });
      return;
    }
    float[] keyPanels = Workspace.KEY_PANELS.floats(Math.multiplyExact(sizes.matrices(), keySize));
    float[] valueRows = Workspace.VALUE_ROWS.floats(
        AttentionPanels.rowSize(Math.multiplyExact(sizes.matrices(), sizes.keys()), headDim));
    int parts = (sizes.keys() + PACKED - 1) / PACKED;
    Parallel.run(sizes.matrices() * parts, task -> {
      int matrix = task / parts;
      int first = task % parts * PACKED;
      int count = Math.min(PACKED, sizes.keys() - first);
      int at = first * headDim;
      pack(keyPanels, matrix * keySize + at, valueRows, matrix * valueSize + at, matrix, first, count);
    });
    Parallel.run(sizes.matrices() * blocks, task -> {
      int matrix = task / blocks;
      block(matrix, task % blocks * PANELS * NR, keyPanels, matrix * keySize, valueRows, matrix * valueSize);
    });
  }

  private void pack(float[] keyPanels, int keysAt, float[] valueRows, int valuesAt, int matrix, int first, int count) {
    int from = sizes.keyStart(matrix) + first * sizes.stride();
    AttentionPanels.packPanels(keyPanels, keysAt, k, from, sizes.stride(), count, headDim, 1);
    AttentionPanels.copyRows(valueRows, valuesAt, headDim, v, from, sizes.stride(), count, headDim);
  }

  private void block(int matrix, int first, float[] keyPanels, int keysAt, float[] valueRows, int valuesAt) {
    int count = Math.min(PANELS * NR, sizes.queries() - first);
    int panels = (count + NR - 1) / NR;
    int oSize = AttentionPanels.ceil(headDim, MR) * NR;
    float[] qPanels = Workspace.QUERY_COLUMNS.floats(panels * headDim * NR);
    float[] s = Workspace.SCORES.floats(TILE * NR);
    float[] o = Workspace.OUTPUT_COLUMNS.floats(panels * oSize);
    Arrays.fill(o, 0, panels * oSize, 0);
    float[] max = new float[panels * NR];
    float[] sum = new float[panels * NR];
    float[] rescale = new float[panels * NR];
    Arrays.fill(max, Float.NEGATIVE_INFINITY);
    int row = sizes.queryStart(matrix) + first * sizes.stride();
    for (int panel = 0; panel < panels; panel++) {
      AttentionPanels.packColumns(qPanels, panel * headDim * NR, q, row + panel * NR * sizes.stride(), sizes.stride(),
          Math.min(NR, count - panel * NR), headDim, sizes.scaleToBase2());
    }
    int end = sizes.causal() ? Math.min(sizes.keys(), first + count) : sizes.keys();
    for (int key = 0; key < end; key += TILE) {
      int rows = Math.min(TILE, end - key);
      for (int panel = 0; panel < panels; panel++) {
        scores(s, keyPanels, keysAt + key * headDim, rows, qPanels, panel);
        if (sizes.causal()) {
          maskLaterKeys(s, rows, key - first - panel * NR);
        }
        MATH.raiseMaximum(s, rows, NR, max, rescale, panel * NR);
        MATH.softmaxStep(s, rows, NR, max, sum, rescale, panel * NR);
        MATH.scaleColumns(o, panel * oSize, headDim, NR, rescale, panel * NR);
        addValues(o, panel * oSize, valueRows, valuesAt + key * headDim, s, rows);
      }
    }
    int query = matrix * sizes.queries() + first;
    for (int j = 0; j < count; j++) {
      rescale[j] = 1 / sum[j];
      lse[query + j] = (float) ((max[j] + FloatFunctions.log2(sum[j])) * FloatFunctions.LN2);
    }
    for (int panel = 0; panel < panels; panel++) {
      MATH.scaleColumns(o, panel * oSize, headDim, NR, rescale, panel * NR);
      AttentionPanels.unpackColumns(out, row + panel * NR * sizes.stride(), sizes.stride(), o, panel * oSize,
          Math.min(NR, count - panel * NR), headDim, 1);
    }
  }

  /** {@code s [rows, NR] = K Q^T}; what fills up the last panel of keys spills into unused rows. */
  private void scores(float[] s, float[] keyPanels, int left, int rows, float[] qPanels, int panel) {
    for (int i = 0; i < rows; i += MR) {
      GEMM.multiply(s, i * NR, false, keyPanels, left + i * headDim, MR, qPanels, panel * headDim * NR, headDim);
    }
  }

  /** {@code o [headDim, NR] += V^T p}, a sum over {@code rows} keys. */
  private void addValues(float[] o, int at, float[] valueRows, int left, float[] p, int rows) {
    for (int d = 0; d < headDim; d += MR) {
      GEMM.multiply(o, at + d * NR, true, valueRows, left + d, headDim, p, 0, rows);
    }
  }

  /** Row i is key {@code i + offset} and column j is query j, both counted from the first query of the panel. */
  private static void maskLaterKeys(float[] s, int rows, int offset) {
    for (int i = Math.max(0, -offset + 1); i < rows; i++) {
      Arrays.fill(s, i * NR, i * NR + Math.min(NR, i + offset), Float.NEGATIVE_INFINITY);
    }
  }
}
