package org.diffusionrpo.rpo.eval;

/**
 * Mean and covariance of a set of feature vectors, in double precision.
 *
 * @param mean [D]
 * @param covariance [D][D], symmetric, sample covariance with divisor N - 1
 * @param count number N of vectors behind it
 */
public record Gaussian(double[] mean, double[][] covariance, int count) {
  /** The statistics of {@code features} [N][D], N at least 2. */
  public static Gaussian fit(double[][] features) {
    int n = features.length;
    if (n < 2) {
      throw new IllegalArgumentException("a covariance needs at least two feature vectors, got " + n);
    }
    int d = features[0].length;
    double[] mean = new double[d];
    for (double[] row : features) {
      for (int k = 0; k < d; k++) {
        mean[k] += row[k] / n;
      }
    }
    double[][] covariance = new double[d][d];
    double[] centred = new double[d];
    for (double[] row : features) {
      for (int k = 0; k < d; k++) {
        centred[k] = row[k] - mean[k];
      }
      for (int a = 0; a < d; a++) {
        for (int b = 0; b <= a; b++) {
          covariance[a][b] += centred[a] * centred[b] / (n - 1);
        }
      }
    }
    for (int a = 0; a < d; a++) {
      for (int b = 0; b < a; b++) {
        covariance[b][a] = covariance[a][b];
      }
    }
    return new Gaussian(mean, covariance, n);
  }

  public int dimensions() {
    return mean.length;
  }
}
