package org.diffusionrpo.kernels.cpu;

/**
 * Inner loops of the normalisations. Written twice: with vectors and in plain Java. Each big array is followed by the
 * index of its first element; all column arrays (gamma, beta, sums) start at {@code co}.
 *
 * <p>The row methods work on one row of n elements with one mean (LayerNorm). The column methods work on a tile of
 * rows, {@code stride} elements apart, with one mean and one scale for each of the n columns (GroupNorm of NHWC data: a
 * row is a pixel, a column a channel). Column sums are float sums: the caller keeps the rows few and adds the parts in
 * double.
 */
interface NormMath {
  /** {@code sums[0] += sum (x - center)}, {@code sums[1] += sum (x - center)^2}, float sums in a few accumulators. */
  void addDeviations(double[] sums, float[] x, int xo, float center, int n);

  /** {@code y = (x - mean) * rstd * gamma + beta}. */
  void normalizeRow(float[] y, int yo, float[] x, int xo, float mean, float rstd, float[] gamma, float[] beta, int co,
      int n);

  /** {@code sums[0] += sum dy * gamma}, {@code sums[1] += sum dy * gamma * (x - mean)}. */
  void addRowGradientSums(double[] sums, float[] dy, int dyo, float[] x, int xo, float mean, float[] gamma, int co,
      int n);

  /** {@code dx = dy * gamma * rstd + (x - mean) * slope + shift}. */
  void rowGradient(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, float mean, float rstd, float slope,
      float shift, float[] gamma, int co, int n);

  /** {@code dGamma += dy * (x - mean) * rstd}, {@code dBeta += dy}. */
  void addParameterGradients(float[] dGamma, float[] dBeta, int co, float[] dy, int dyo, float[] x, int xo, float mean,
      float rstd, int n);

  /** {@code sum[j] = sum_r (x[r, j] - center[j])}, {@code squares[j] = sum_r (x[r, j] - center[j])^2}. */
  void columnDeviations(float[] sum, float[] squares, float[] center, int co, float[] x, int xo, int rows, int stride,
      int n);

  /** {@code sum[j] = sum_r dy[r, j]}, {@code product[j] = sum_r dy[r, j] * (x[r, j] - mean[j])}; dy starts at xo. */
  void columnGradientSums(float[] sum, float[] product, float[] mean, int co, float[] dy, float[] x, int xo, int rows,
      int stride, int n);

  /** {@code y[r, j] = (x[r, j] - mean[j]) * scale[j] + shift[j]}; y starts at xo too. */
  void normalizeColumns(float[] y, float[] x, int xo, float[] mean, float[] scale, float[] shift, int co, int rows,
      int stride, int n);

  /** {@code h = (x[r, j] - mean[j]) * scale[j] + shift[j]}, {@code y[r, j] = h * sigmoid(h)}; y starts at xo too. */
  void normalizeColumnsSilu(float[] y, float[] x, int xo, float[] mean, float[] scale, float[] shift, int co, int rows,
      int stride, int n);

  /** {@code dh[r, j] = dy[r, j] * silu'(h)} with h as above; dh and dy start at xo too, and dh may be dy. */
  void columnSiluGradient(float[] dh, float[] dy, float[] x, int xo, float[] mean, float[] scale, float[] shift, int co,
      int rows, int stride, int n);

  /** {@code dx[r, j] = dy[r, j] * scale[j] + (x[r, j] - mean[j]) * slope[j] + shift[j]}; dx and dy start at xo too. */
  void columnGradient(float[] dx, float[] dy, float[] x, int xo, float[] mean, float[] scale, float[] slope,
      float[] shift, int co, int rows, int stride, int n);
}
