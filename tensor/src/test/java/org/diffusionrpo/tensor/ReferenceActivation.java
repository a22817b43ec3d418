package org.diffusionrpo.tensor;

/** The activations and their derivatives at one point. */
final class ReferenceActivation {
  private static final double QUICK_GELU_SLOPE = 1.702;

  private ReferenceActivation() {}

  static double value(Activation kind, double x) {
    return switch (kind) {
      case SILU -> x * sigmoid(x);
      case GELU -> x * normalDistribution(x);
      case QUICK_GELU -> x * sigmoid(QUICK_GELU_SLOPE * x);
    };
  }

  static double slope(Activation kind, double x) {
    return switch (kind) {
      case SILU -> swishSlope(x, 1);
      case GELU -> normalDistribution(x) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
      case QUICK_GELU -> swishSlope(x, QUICK_GELU_SLOPE);
    };
  }

  private static double swishSlope(double x, double beta) {
    double s = sigmoid(beta * x);
    return s + beta * x * s * (1 - s);
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** Phi(x). Abramowitz and Stegun 1964, 26.2.11: a series of positive terms, so nothing cancels. */
  private static double normalDistribution(double x) {
    if (Math.abs(x) > 9) { // what is left is below the last bit of 1
      return x > 0 ? 1 : 0;
    }
    double term = Math.abs(x);
    double sum = 0;
    for (int k = 1; term > sum * 1e-17; k++) {
      sum += term;
      term *= x * x / (2 * k + 1);
    }
    return 0.5 + Math.signum(x) * sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }
}
