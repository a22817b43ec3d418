package org.diffusionrpo.kernels.cpu;

/** The normal distribution in double, from its series and its continued fraction. */
final class NormalOracle {
  private NormalOracle() {}

  static double density(double x) {
    return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  static double cumulative(double x) {
    if (x > 3) {
      return 1 - cumulative(-x);
    }
    if (x < -3) { // Laplace's continued fraction of the Mills ratio
      double fraction = -x;
      for (int k = 200; k >= 1; k--) {
        fraction = -x + k / fraction;
      }
      return density(x) / fraction;
    }
    double term = x; // 1/2 + density * (x + x^3/3 + x^5/(3*5) + ...)
    double sum = x;
    for (int k = 1; k < 100; k++) {
      term *= x * x / (2 * k + 1);
      sum += term;
    }
    return 0.5 + density(x) * sum;
  }
}
