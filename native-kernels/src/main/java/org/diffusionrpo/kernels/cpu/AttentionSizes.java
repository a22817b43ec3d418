package org.diffusionrpo.kernels.cpu;

/** Shapes of one call of {@link Attention}, and where a head lies: [samples, tokens, heads * headDim]. */
record AttentionSizes(int samples, int queries, int keys, int heads, int headDim, boolean causal) {
  /** Samples times heads: each is a product of its own. */
  int matrices() {
    return samples * heads;
  }

  /** Distance of two tokens. */
  int stride() {
    return heads * headDim;
  }

  /** First element of matrix number {@code matrix} in q or out. */
  int queryStart(int matrix) {
    return start(matrix, queries);
  }

  /** First element of matrix number {@code matrix} in k or v. */
  int keyStart(int matrix) {
    return start(matrix, keys);
  }

  private int start(int matrix, int tokens) {
    return matrix / heads * tokens * stride() + matrix % heads * headDim;
  }

  float scale() {
    return (float) (1 / Math.sqrt(headDim));
  }

  /** Scores are kept as logarithms to the base 2, which makes the exponential cheaper. */
  float scaleToBase2() {
    return (float) (1 / (Math.sqrt(headDim) * FloatFunctions.LN2));
  }
}
