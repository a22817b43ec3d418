package org.diffusionrpo.kernels.cpu;

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
 * <p>Forward, tiles of scores are keys by queries, with a panel of queries across the lanes; backward, queries by keys.
 * So no sum crosses lanes, and a tile of probabilities already lies as {@link AttentionTile} wants its right matrix.
 */
public final class Attention {
  private Attention() {}

  /** Overwrites out and lse. */
  public static void forward(float[] out, float[] lse, float[] q, float[] k, float[] v, int samples, int queries,
      int keys, int heads, int headDim, boolean causal) {
    AttentionSizes sizes = new AttentionSizes(samples, queries, keys, heads, headDim, causal);
    new AttentionForward(out, lse, q, k, v, sizes).run();
  }

  /** Overwrites dq, dk and dv. */
  public static void backward(float[] dq, float[] dk, float[] dv, float[] dOut, float[] q, float[] k, float[] v,
      float[] out, float[] lse, int samples, int queries, int keys, int heads, int headDim, boolean causal) {
    AttentionSizes sizes = new AttentionSizes(samples, queries, keys, heads, headDim, causal);
    new AttentionBackward(dq, dk, dv, dOut, q, k, v, sizes).run(out, lse);
  }

  /** Floats of scratch memory that backward needs beside its operands and what fits into a cache. */
  public static long backwardScratch(int samples, int queries, int keys, int heads, int headDim) {
    AttentionSizes sizes = new AttentionSizes(samples, queries, keys, heads, headDim, false);
    return AttentionBackward.sharesSize(sizes, AttentionPlan.of(sizes));
  }
}
