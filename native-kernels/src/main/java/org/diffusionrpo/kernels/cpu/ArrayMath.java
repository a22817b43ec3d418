package org.diffusionrpo.kernels.cpu;

/**
 * Elementwise inner loops and sums on array ranges. Written twice: with vectors and in plain Java. Each array is
 * followed by the index of its first element; n elements are worked on. Elementwise results have the same bits in
 * both versions; an output may be the same array as an input at the same offset.
 */
interface ArrayMath {
  /** Float lanes of one vector; 1 for plain Java. */
  int lanes();

  /** {@code y = a + b}. */
  void add(float[] y, int yo, float[] a, int ao, float[] b, int bo, int n);

  /** {@code y = a * b}. */
  void multiply(float[] y, int yo, float[] a, int ao, float[] b, int bo, int n);

  /** {@code y = scale * x}. */
  void scale(float[] y, int yo, float[] x, int xo, float scale, int n);

  /** {@code y += a * x}. */
  void axpy(float[] y, int yo, float a, float[] x, int xo, int n);

  /** {@code y += weight * (x - y)}. */
  void lerp(float[] y, int yo, float[] x, int xo, float weight, int n);

  /** {@code y = scale * (a - b)}. */
  void scaledDifference(float[] y, int yo, float[] a, int ao, float[] b, int bo, float scale, int n);

  /**
   * {@code sum[so + j] = sum_r x[xo + r * stride + j]} for the n columns j. A float sum: the caller keeps the rows few
   * and adds the parts in double.
   */
  void columnSums(float[] sum, int so, float[] x, int xo, int rows, int stride, int n);

  /** {@code sum x}, a float sum in a few accumulators for rows of at most some thousand elements. */
  double sum(float[] x, int xo, int n);
}
