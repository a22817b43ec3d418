package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Exact softmax attention in tiles. FlashAttention-2, Dao 2023, arXiv:2307.08691, algorithms 1 and 2.
 * <pre>
 *   q, out [samples, queries, heads * headDim]     k, v [samples, keys, heads * headDim]
 *   lse [samples, heads, queries], log-sum-exp of the scaled scores, kept for backward
 *   out = softmax(q k^T / sqrt(headDim)) v, per sample and head
 * </pre>
 * The probabilities are never stored; backward computes them again from q, k and lse. Causal: query i sees the keys
 * 0 .. i.
 *
 * <p>All tiles are kept transposed, keys by queries, with one panel of queries across the lanes. So maximum and sum of
 * a query never cross lanes, and a tile of probabilities already lies as {@link GemmTile} wants its right matrix.
 */
public final class Attention {
  private static final GemmTile GEMM = Simd.GEMM;
  private static final AttentionMath MATH = Simd.ATTENTION;
  private static final int MR = GEMM.rows();
  private static final int NR = GEMM.columns();
  /** Rows of one tile of scores: with NR columns it fills a quarter of the first-level cache. */
  private static final int TILE = MR * (96 / MR);
  private static final float[] ZEROS = new float[NR];

  private Attention() {}

  /** Overwrites out and lse. */
  public static void forward(float[] out, float[] lse, float[] q, float[] k, float[] v, int samples, int queries,
      int keys, int heads, int headDim, boolean causal) {
    float scale = (float) (1 / Math.sqrt(headDim));
    AttentionPanels kPanels = AttentionPanels.byToken(k, 1, samples, keys, heads, headDim);
    AttentionPanels vPanels = AttentionPanels.byFeature(v, 1, samples, keys, heads, headDim);
    int blocks = blocks(queries);
    Parallel.run(samples * heads * blocks, task -> {
      int head = task / blocks;
      int first = task % blocks * NR;
      int count = Math.min(NR, queries - first);
      int row = rowOf(head, heads, queries, headDim) + first * heads * headDim;
      float[] qPanel = new float[headDim * NR];
      packColumns(qPanel, q, row, heads * headDim, count, headDim, scale);
      float[] s = new float[TILE * NR];
      float[] o = new float[AttentionPanels.ceilDiv(headDim) * MR * NR];
      float[] max = new float[NR];
      float[] sum = new float[NR];
      float[] rescale = new float[NR];
      Arrays.fill(max, Float.NEGATIVE_INFINITY);
      int end = causal ? Math.min(keys, first + count) : keys;
      for (int key = 0; key < end; key += TILE) {
        int rows = Math.min(TILE, end - key);
        scores(s, kPanels, head, key, rows, qPanel, headDim);
        if (causal) {
          maskLaterKeys(s, rows, key - first);
        }
        MATH.softmaxStep(s, rows, NR, max, sum, rescale);
        MATH.scaleColumns(o, headDim, NR, rescale);
        accumulate(o, vPanels, head, key, s, rows, headDim);
      }
      for (int j = 0; j < count; j++) {
        rescale[j] = 1 / sum[j];
        lse[head * queries + first + j] = (float) (max[j] + StrictMath.log(sum[j]));
      }
      MATH.scaleColumns(o, headDim, NR, rescale);
      unpackColumns(out, row, heads * headDim, o, count, headDim);
    });
  }

  /** Overwrites dq, dk and dv. */
  public static void backward(float[] dq, float[] dk, float[] dv, float[] dOut, float[] q, float[] k, float[] v,
      float[] out, float[] lse, int samples, int queries, int keys, int heads, int headDim, boolean causal) {
    float[] delta = delta(dOut, out, samples, queries, heads, headDim);
    queryGradient(dq, dOut, q, k, v, lse, delta, samples, queries, keys, heads, headDim, causal);
    keyValueGradient(dk, dv, dOut, q, k, v, lse, delta, samples, queries, keys, heads, headDim, causal);
  }

  /** delta [samples, heads, queries] = sum_d dOut * out, which equals sum_keys p * dp. */
  private static float[] delta(float[] dOut, float[] out, int samples, int queries, int heads, int headDim) {
    float[] delta = new float[samples * heads * queries];
    Parallel.ranges(samples * queries, Elementwise.rowsPerTask(heads * headDim), (from, to) -> {
      for (int token = from; token < to; token++) {
        for (int head = 0; head < heads; head++) {
          int at = (token * heads + head) * headDim;
          double sum = 0;
          for (int d = at; d < at + headDim; d++) {
            sum += dOut[d] * out[d];
          }
          delta[(token / queries * heads + head) * queries + token % queries] = (float) sum;
        }
      }
    });
    return delta;
  }

  /** dq^T = scale * k^T ds^T, with ds = p * (dp - delta) and dp = dOut v^T; one task per panel of queries. */
  private static void queryGradient(float[] dq, float[] dOut, float[] q, float[] k, float[] v, float[] lse,
      float[] delta, int samples, int queries, int keys, int heads, int headDim, boolean causal) {
    float scale = (float) (1 / Math.sqrt(headDim));
    AttentionPanels kPanels = AttentionPanels.byToken(k, 1, samples, keys, heads, headDim);
    AttentionPanels vPanels = AttentionPanels.byToken(v, 1, samples, keys, heads, headDim);
    AttentionPanels kFeatures = AttentionPanels.byFeature(k, scale, samples, keys, heads, headDim);
    int blocks = blocks(queries);
    Parallel.run(samples * heads * blocks, task -> {
      int head = task / blocks;
      int first = task % blocks * NR;
      int count = Math.min(NR, queries - first);
      int row = rowOf(head, heads, queries, headDim) + first * heads * headDim;
      float[] qPanel = new float[headDim * NR];
      float[] dOutPanel = new float[headDim * NR];
      packColumns(qPanel, q, row, heads * headDim, count, headDim, scale);
      packColumns(dOutPanel, dOut, row, heads * headDim, count, headDim, 1);
      float[] blockLse = new float[NR];
      float[] blockDelta = new float[NR];
      System.arraycopy(lse, head * queries + first, blockLse, 0, count);
      System.arraycopy(delta, head * queries + first, blockDelta, 0, count);
      float[] s = new float[TILE * NR];
      float[] dp = new float[TILE * NR];
      float[] dqBlock = new float[AttentionPanels.ceilDiv(headDim) * MR * NR];
      int end = causal ? Math.min(keys, first + count) : keys;
      for (int key = 0; key < end; key += TILE) {
        int rows = Math.min(TILE, end - key);
        scores(s, kPanels, head, key, rows, qPanel, headDim);
        if (causal) {
          maskLaterKeys(s, rows, key - first);
        }
        scores(dp, vPanels, head, key, rows, dOutPanel, headDim);
        MATH.gradientByColumn(s, dp, rows, NR, blockLse, blockDelta);
        accumulate(dqBlock, kFeatures, head, key, dp, rows, headDim);
      }
      unpackColumns(dq, row, heads * headDim, dqBlock, count, headDim);
    });
  }

  /** dv^T = dOut^T p and dk^T = scale * q^T ds; one task per panel of keys, whose tiles are queries by keys. */
  private static void keyValueGradient(float[] dk, float[] dv, float[] dOut, float[] q, float[] k, float[] v,
      float[] lse, float[] delta, int samples, int queries, int keys, int heads, int headDim, boolean causal) {
    float scale = (float) (1 / Math.sqrt(headDim));
    AttentionPanels qPanels = AttentionPanels.byToken(q, scale, samples, queries, heads, headDim);
    AttentionPanels dOutPanels = AttentionPanels.byToken(dOut, 1, samples, queries, heads, headDim);
    AttentionPanels qFeatures = AttentionPanels.byFeature(q, scale, samples, queries, heads, headDim);
    AttentionPanels dOutFeatures = AttentionPanels.byFeature(dOut, 1, samples, queries, heads, headDim);
    int blocks = blocks(keys);
    Parallel.run(samples * heads * blocks, task -> {
      int head = task / blocks;
      int first = task % blocks * NR;
      int count = Math.min(NR, keys - first);
      int row = rowOf(head, heads, keys, headDim) + first * heads * headDim;
      float[] kPanel = new float[headDim * NR];
      float[] vPanel = new float[headDim * NR];
      packColumns(kPanel, k, row, heads * headDim, count, headDim, 1);
      packColumns(vPanel, v, row, heads * headDim, count, headDim, 1);
      float[] s = new float[TILE * NR];
      float[] dp = new float[TILE * NR];
      float[] dkBlock = new float[AttentionPanels.ceilDiv(headDim) * MR * NR];
      float[] dvBlock = new float[dkBlock.length];
      for (int query = causal ? first / TILE * TILE : 0; query < queries; query += TILE) {
        int rows = Math.min(TILE, queries - query);
        scores(s, qPanels, head, query, rows, kPanel, headDim);
        if (causal) {
          maskEarlierQueries(s, rows, query - first);
        }
        scores(dp, dOutPanels, head, query, rows, vPanel, headDim);
        MATH.gradientByRow(s, dp, rows, NR, lse, delta, head * queries + query);
        accumulate(dvBlock, dOutFeatures, head, query, s, rows, headDim);
        accumulate(dkBlock, qFeatures, head, query, dp, rows, headDim);
      }
      unpackColumns(dk, row, heads * headDim, dkBlock, count, headDim);
      unpackColumns(dv, row, heads * headDim, dvBlock, count, headDim);
    });
  }

  /** {@code s [rows, NR] = left x right}, a sum over headDim; the padding of the last panel spills into unused rows. */
  private static void scores(float[] s, AttentionPanels left, int head, int token, int rows, float[] right,
      int headDim) {
    for (int i = 0; i < rows; i += MR) {
      GEMM.multiply(s, i * NR, NR, ZEROS, 0, 0, left.data, left.atToken(head, token + i), right, 0, headDim);
    }
  }

  /** {@code o [headDim, NR] += left x p}, a sum over {@code rows} tokens. */
  private static void accumulate(float[] o, AttentionPanels left, int head, int token, float[] p, int rows,
      int headDim) {
    for (int d = 0; d < headDim; d += MR) {
      GEMM.multiply(o, d * NR, NR, o, d * NR, NR, left.data, left.atFeature(head, d / MR, token), p, 0, rows);
    }
  }

  /** Row i is key {@code i + offset} and column j is query j, both counted from the first query of the panel. */
  private static void maskLaterKeys(float[] s, int rows, int offset) {
    for (int i = Math.max(0, -offset + 1); i < rows; i++) {
      Arrays.fill(s, i * NR, i * NR + Math.min(NR, i + offset), Float.NEGATIVE_INFINITY);
    }
  }

  /** Row i is query {@code i + offset} and column j is key j, both counted from the first key of the panel. */
  private static void maskEarlierQueries(float[] s, int rows, int offset) {
    for (int i = 0; i < Math.min(rows, NR - offset); i++) {
      Arrays.fill(s, i * NR + Math.max(0, i + offset + 1), (i + 1) * NR, Float.NEGATIVE_INFINITY);
    }
  }

  /** {@code panel [headDim][NR] = scale * x^T}, padded with zeros (the panel is new). */
  private static void packColumns(float[] panel, float[] x, int row, int stride, int count, int headDim, float scale) {
    for (int j = 0; j < count; j++) {
      for (int d = 0; d < headDim; d++) {
        panel[d * NR + j] = x[row + j * stride + d] * scale;
      }
    }
  }

  private static void unpackColumns(float[] x, int row, int stride, float[] block, int count, int headDim) {
    for (int j = 0; j < count; j++) {
      for (int d = 0; d < headDim; d++) {
        x[row + j * stride + d] = block[d * NR + j];
      }
    }
  }

  private static int rowOf(int head, int heads, int tokens, int headDim) {
    return head / heads * tokens * heads * headDim + head % heads * headDim;
  }

  private static int blocks(int tokens) {
    return (tokens + NR - 1) / NR;
  }
}
