package org.diffusionrpo.kernels.cpu;

/** Plain Java. Also the tail of each vector loop. */
final class ScalarOptimizerMath implements OptimizerMath {
  @Override
  public void adamW(float[] w, float[] g, float[] m, float[] v, int from, int n, AdamW.Coefficients c) {
    for (int i = from; i < from + n; i++) {
      float gradient = g[i];
      m[i] = Math.fma(gradient - m[i], c.newShare1(), m[i]);
      v[i] = Math.fma(gradient * gradient, c.newShare2(), v[i] * c.beta2());
      float root = (float) Math.sqrt(v[i]);
      float update = m[i] * c.rate() / Math.fma(root, c.rootScale(), c.eps());
      w[i] -= Math.fma(w[i], c.decay(), update);
    }
  }

  @Override
  public void addSquares(float[] sum, int so, float[] g, int go, int n) {
    for (int i = 0; i < n; i++) {
      sum[so + i] = Math.fma(g[go + i], g[go + i], sum[so + i]);
    }
  }

  @Override
  public double sumOfSquaredProducts(float[] g, int go, float[] factor, int fo, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      double product = g[go + i] * factor[fo + i];
      sum += product * product;
    }
    return sum;
  }

  @Override
  public void factoredUpdate(float[] w, int wo, float[] g, int go, float[] factor, int fo, float decay, float step,
      int n) {
    for (int i = 0; i < n; i++) {
      float update = g[go + i] * factor[fo + i] * step;
      w[wo + i] -= Math.fma(w[wo + i], decay, update);
    }
  }
}
