package org.diffusionrpo.kernels.cpu;

/**
 * Normalisation in double, by the definition: {@code group[i]} names the statistics that element i belongs to and
 * {@code i % channels} its gamma and beta.
 */
record NormOracle(int[] group, int groups, int channels, double eps) {
  static NormOracle groupNorm(int samples, int positions, int channels, int groups, double eps) {
    int[] group = new int[samples * positions * channels];
    for (int i = 0; i < group.length; i++) {
      group[i] = i / (positions * channels) * groups + i % channels / (channels / groups);
    }
    return new NormOracle(group, samples * groups, channels, eps);
  }

  static NormOracle layerNorm(int rows, int columns, double eps) {
    int[] group = new int[rows * columns];
    for (int i = 0; i < group.length; i++) {
      group[i] = i / columns;
    }
    return new NormOracle(group, rows, columns, eps);
  }

  double[] mean(double[] x) {
    double[] sum = new double[groups];
    double[] count = new double[groups];
    for (int i = 0; i < x.length; i++) {
      sum[group[i]] += x[i];
      count[group[i]]++;
    }
    for (int g = 0; g < groups; g++) {
      sum[g] /= count[g];
    }
    return sum;
  }

  double[] rstd(double[] x) {
    double[] mean = mean(x);
    double[] squares = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      squares[i] = (x[i] - mean[group[i]]) * (x[i] - mean[group[i]]);
    }
    double[] result = mean(squares);
    for (int g = 0; g < groups; g++) {
      result[g] = 1 / Math.sqrt(result[g] + eps);
    }
    return result;
  }

  /** (x - mean) * rstd. */
  double[] normal(double[] x) {
    double[] mean = mean(x);
    double[] rstd = rstd(x);
    double[] result = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      result[i] = (x[i] - mean[group[i]]) * rstd[group[i]];
    }
    return result;
  }

  double[] forward(double[] x, double[] gamma, double[] beta) {
    double[] y = normal(x);
    for (int i = 0; i < x.length; i++) {
      y[i] = y[i] * gamma[i % channels] + beta[i % channels];
    }
    return y;
  }

  double[] dx(double[] dy, double[] x, double[] gamma) {
    double[] normal = normal(x);
    double[] rstd = rstd(x);
    double[] h = new double[x.length];
    double[] hNormal = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      h[i] = dy[i] * gamma[i % channels];
      hNormal[i] = h[i] * normal[i];
    }
    double[] meanH = mean(h);
    double[] meanHNormal = mean(hNormal);
    double[] dx = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      dx[i] = rstd[group[i]] * (h[i] - meanH[group[i]] - normal[i] * meanHNormal[group[i]]);
    }
    return dx;
  }

  double[] dGamma(double[] dy, double[] x) {
    double[] normal = normal(x);
    double[] sum = new double[channels];
    for (int i = 0; i < x.length; i++) {
      sum[i % channels] += dy[i] * normal[i];
    }
    return sum;
  }

  double[] dBeta(double[] dy) {
    double[] sum = new double[channels];
    for (int i = 0; i < dy.length; i++) {
      sum[i % channels] += dy[i];
    }
    return sum;
  }
}
