package org.diffusionrpo.kernels.cuda;

/** Shapes of one call of {@link Attention}, and where a head lies: [samples, tokens, heads * headDim] of fp32. */
record AttentionSizes(int samples, int queries, int keys, int heads, int headDim, boolean causal) {
  /** Distance of two tokens. */
  int stride() {
    return heads * headDim;
  }

  /** Elements of q and out. */
  long querySize() {
    return (long) samples * queries * stride();
  }

  /** Elements of lse. */
  long rows() {
    return (long) samples * heads * queries;
  }

  /** Byte offset of a query's features in q and out. */
  long queryAt(int sample, int head, int query) {
    return at(sample, head, query, queries);
  }

  /** Byte offset of a head's first key in k and v. */
  long keyAt(int sample, int head) {
    return at(sample, head, 0, keys);
  }

  private long at(int sample, int head, int token, int tokens) {
    return (((long) sample * tokens + token) * stride() + (long) head * headDim) * Float.BYTES;
  }

  /** Byte offset of a query's row in lse. */
  long rowAt(int sample, int head, int query) {
    return (((long) sample * heads + head) * queries + query) * Float.BYTES;
  }

  float scale() {
    return (float) (1 / Math.sqrt(headDim));
  }

  /** For kernels, which have no boolean parameters. */
  int causalFlag() {
    return causal ? 1 : 0;
  }
}
