package org.diffusionrpo.kernels.cpu;

/** Softmax attention in double, by the definition, with all probabilities in memory. */
public record AttentionOracle(int samples, int queries, int keys, int heads, int headDim, boolean causal) {
  private int queryAt(int s, int i, int h) {
    return ((s * queries + i) * heads + h) * headDim;
  }

  private int keyAt(int s, int j, int h) {
    return ((s * keys + j) * heads + h) * headDim;
  }

  private double score(double[] q, double[] k, int s, int h, int i, int j) {
    if (causal && j > i) {
      return Double.NEGATIVE_INFINITY;
    }
    return product(q, queryAt(s, i, h), k, keyAt(s, j, h)) / Math.sqrt(headDim);
  }

  private double product(double[] a, int ao, double[] b, int bo) {
    double sum = 0;
    for (int d = 0; d < headDim; d++) {
      sum += a[ao + d] * b[bo + d];
    }
    return sum;
  }

  public double[] lse(double[] q, double[] k) {
    double[] lse = new double[samples * heads * queries];
    for (int row = 0; row < lse.length; row++) {
      int s = row / (heads * queries);
      int h = row / queries % heads;
      double max = Double.NEGATIVE_INFINITY;
      for (int j = 0; j < keys; j++) {
        max = Math.max(max, score(q, k, s, h, row % queries, j));
      }
      double sum = 0;
      for (int j = 0; j < keys; j++) {
        sum += Math.exp(score(q, k, s, h, row % queries, j) - max);
      }
      lse[row] = max + Math.log(sum);
    }
    return lse;
  }

  public double[] forward(double[] q, double[] k, double[] v) {
    double[] lse = lse(q, k);
    double[] out = new double[samples * queries * heads * headDim];
    for (int row = 0; row < lse.length; row++) {
      int s = row / (heads * queries);
      int h = row / queries % heads;
      int i = row % queries;
      for (int j = 0; j < keys; j++) {
        double p = Math.exp(score(q, k, s, h, i, j) - lse[row]);
        for (int d = 0; d < headDim; d++) {
          out[queryAt(s, i, h) + d] += p * v[keyAt(s, j, h) + d];
        }
      }
    }
    return out;
  }

  /** dq, dk, dv. */
  public double[][] backward(double[] dOut, double[] q, double[] k, double[] v) {
    double[] lse = lse(q, k);
    double[] out = forward(q, k, v);
    double[] dq = new double[q.length];
    double[] dk = new double[k.length];
    double[] dv = new double[v.length];
    double scale = 1 / Math.sqrt(headDim);
    for (int row = 0; row < lse.length; row++) {
      int s = row / (heads * queries);
      int h = row / queries % heads;
      int i = row % queries;
      int qi = queryAt(s, i, h);
      double delta = product(dOut, qi, out, qi);
      for (int j = 0; j < keys; j++) {
        int kj = keyAt(s, j, h);
        double p = Math.exp(score(q, k, s, h, i, j) - lse[row]);
        double ds = p * (product(dOut, qi, v, kj) - delta);
        for (int d = 0; d < headDim; d++) {
          dv[kj + d] += p * dOut[qi + d];
          dq[qi + d] += scale * ds * k[kj + d];
          dk[kj + d] += scale * ds * q[qi + d];
        }
      }
    }
    return new double[][] {dq, dk, dv};
  }
}
