package org.diffusionrpo.rpo.eval;

/**
 * CMMD: squared maximum mean discrepancy of two sets of unit-length CLIP image features under a Gaussian kernel.
 * Jayasumana et al. 2024, arXiv:2401.09603. Unlike the Fréchet distance it assumes no shape and stays meaningful with
 * few images.
 * <pre>
 *   k(a, b) = exp(-|a - b|^2 / (2 * 10^2))
 *   CMMD = 1000 * (mean k(x, x') + mean k(y, y') - 2 mean k(x, y))
 * </pre>
 * Means run over all pairs, a point with itself included, as in the published code.
 */
public final class KernelDistance {
  private static final double BANDWIDTH = 10;
  private static final double SCALE = 1000;

  private KernelDistance() {}

  /** The distance of {@code x} [N][D] and {@code y} [M][D]. */
  public static double between(double[][] x, double[][] y) {
    return SCALE * (mean(x, x) + mean(y, y) - 2 * mean(x, y));
  }

  /** The mean of k - 1: the ones cancel in the distance, and {@code expm1} keeps the digits that they would cover. */
  private static double mean(double[][] x, double[][] y) {
    double sum = 0;
    for (double[] a : x) {
      for (double[] b : y) {
        double squared = 0;
        for (int d = 0; d < a.length; d++) {
          squared += (a[d] - b[d]) * (a[d] - b[d]);
        }
        sum += Math.expm1(-squared / (2 * BANDWIDTH * BANDWIDTH));
      }
    }
    return sum / x.length / y.length;
  }
}
