package org.diffusionrpo.kernels.cpu;

/**
 * Inner loops of attention on a row-major tile of scores, {@code [rows, columns]}, columns a multiple of two
 * vectors. Scores are logarithms to the base 2. Written twice: with vectors and in plain Java, with equal bits.
 */
interface AttentionMath {
  /**
   * First half of a step of the online softmax, each column one query and each row one key; the running values start at
   * index {@code at}: {@code drop = max - max'}, {@code max = max' = max(max, max_rows s)}. Halves, because the whole is
   * more than the compiler inlines.
   */
  void raiseMaximum(float[] s, int rows, int columns, float[] max, float[] drop, int at);

  /**
   * Second half, with {@code rescale} the drop: {@code s = p = 2^(s - max')}, {@code rescale = 2^rescale},
   * {@code sum = sum * rescale + sum_rows p}.
   */
  void softmaxStep(float[] s, int rows, int columns, float[] max, float[] sum, float[] rescale, int at);

  /** {@code x[xo + i * columns + j] *= factor[at + j]}. */
  void scaleColumns(float[] x, int xo, int rows, int columns, float[] factor, int at);

  /** One row per query: {@code s = 2^(s - lse[qo + i])}, {@code dp = s * (dp - delta[qo + i])}. */
  void gradient(float[] s, float[] dp, int rows, int columns, float[] lse, float[] delta, int qo);
}
