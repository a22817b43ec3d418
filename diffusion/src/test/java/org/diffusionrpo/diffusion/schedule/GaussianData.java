package org.diffusionrpo.diffusion.schedule;

/**
 * A data set for which everything is known: x0 ~ N(mean, deviation^2). Then
 * {@code x_t ~ N(sqrt(abar) * mean, variance(abar))}, {@code variance(abar) = abar * deviation^2 + 1 - abar}, the best
 * prediction of the noise is {@code sqrt(1 - abar) * (x_t - sqrt(abar) * mean) / variance(abar)}, and the probability
 * flow keeps each point's distance from the mean in units of the standard deviation.
 */
record GaussianData(double mean, double deviation) {
  double variance(double alphaCumprod) {
    return alphaCumprod * deviation * deviation + 1 - alphaCumprod;
  }

  /** Where the probability flow has a point that ends {@code distance} standard deviations from the mean. */
  double flow(double alphaCumprod, double distance) {
    return Math.sqrt(alphaCumprod) * mean + Math.sqrt(variance(alphaCumprod)) * distance;
  }

  /** The perfect network. */
  void predict(float[] output, float[] x, double alphaCumprod, PredictionType prediction) {
    double alpha = Math.sqrt(alphaCumprod);
    double sigma = Math.sqrt(1 - alphaCumprod);
    for (int i = 0; i < x.length; i++) {
      double centred = (x[i] - alpha * mean) / variance(alphaCumprod);
      double epsilon = sigma * centred;
      double x0 = mean + alpha * deviation * deviation * centred;
      output[i] = (float) switch (prediction) {
        case EPSILON -> epsilon;
        case SAMPLE -> x0;
        case V_PREDICTION -> alpha * epsilon - sigma * x0;
      };
    }
  }
}
