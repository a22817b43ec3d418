package org.diffusionrpo.kernels.cpu;

/** Inner loops of the optimizers on array ranges. Written twice: with vectors and in plain Java. */
interface OptimizerMath {
  /** One pass of AdamW over [from, from + n) of all four arrays; see {@link AdamW#step}. */
  void adamW(float[] w, float[] g, float[] m, float[] v, int from, int n, AdamW.Coefficients c);

  /** {@code sum += g^2}. */
  void addSquares(float[] sum, int so, float[] g, int go, int n);

  /** {@code sum (g * factor)^2}, products in float, added in double. */
  double sumOfSquaredProducts(float[] g, int go, float[] factor, int fo, int n);

  /** {@code w = w - (decay * w + step * g * factor)}. */
  void factoredUpdate(float[] w, int wo, float[] g, int go, float[] factor, int fo, float decay, float step, int n);
}
