package org.diffusionrpo.kernels.cpu;

/**
 * Inner loops of attention on a row-major tile of scores, {@code [rows, columns]} from index 0 on, columns a multiple
 * of the vector length. Written twice: with vectors and in plain Java, with equal bits.
 */
interface AttentionMath {
  /**
   * One step of the online softmax, each column one query and each row one key. Replaces the scores by
   * {@code p = exp(s - max')}, where max' is the new running maximum, and updates the running values:
   * {@code rescale = exp(max - max')}, {@code sum = sum * rescale + sum_rows p}, {@code max = max'}.
   */
  void softmaxStep(float[] s, int rows, int columns, float[] max, float[] sum, float[] rescale);

  /** {@code x[i, j] *= factor[j]}. */
  void scaleColumns(float[] x, int rows, int columns, float[] factor);

  /** One column per query: {@code dp = exp(s - lse[j]) * (dp - delta[j])}. */
  void gradientByColumn(float[] s, float[] dp, int rows, int columns, float[] lse, float[] delta);

  /** One row per query: {@code s = exp(s - lse[qo + i])}, {@code dp = s * (dp - delta[qo + i])}. */
  void gradientByRow(float[] s, float[] dp, int rows, int columns, float[] lse, float[] delta, int qo);
}
