package org.diffusionrpo.rpo.loss;

/** {@code log sigmoid} and its derivative, without overflow for any argument. */
final class LogSigmoid {
  private LogSigmoid() {}

  /** {@code log(1 / (1 + exp(-x)))}. */
  static double value(double x) {
    return Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x)));
  }

  /** {@code d/dx log sigmoid(x) = sigmoid(-x)}. */
  static double derivative(double x) {
    double e = Math.exp(-Math.abs(x));
    return (x >= 0 ? e : 1) / (1 + e);
  }
}
