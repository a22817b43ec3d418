package org.diffusionrpo.diffusion.train;

import org.diffusionrpo.tensor.Philox;

/**
 * The diagonal Gaussian that the encoder describes, with the reparameterised sample z = mean + std * normal and its
 * gradients. Log variances are clamped to [-30, 20] as in diffusers.
 */
final class Posterior {
  private static final float MIN_LOG_VARIANCE = -30f;
  private static final float MAX_LOG_VARIANCE = 20f;

  private final float[] moments;
  private final int channels;
  private final float[] normal;

  /** @param moments rows of (mean, log variance), {@code channels} numbers each */
  Posterior(float[] moments, int channels, Philox random) {
    this.moments = moments;
    this.channels = channels;
    this.normal = new float[moments.length / 2];
    random.fillGaussian(normal);
  }

  float[] sample() {
    float[] z = new float[normal.length];
    for (int i = 0; i < z.length; i++) {
      z[i] = mean(i) + std(i) * normal[i];
    }
    return z;
  }

  /** Sum over all elements of the divergence from N(0, 1). */
  double kl() {
    double sum = 0;
    for (int i = 0; i < normal.length; i++) {
      double std = std(i);
      sum += 0.5 * ((double) mean(i) * mean(i) + std * std - 1 - logVariance(i));
    }
    return sum;
  }

  double meanStd() {
    double sum = 0;
    for (int i = 0; i < normal.length; i++) {
      sum += std(i);
    }
    return sum / normal.length;
  }

  /** The gradient of the moments for that of z and {@code klScale} times {@link #kl}. */
  float[] backward(float[] dz, double klScale) {
    float[] dMoments = new float[moments.length];
    for (int i = 0; i < dz.length; i++) {
      double std = std(i);
      dMoments[at(i)] = (float) (dz[i] + klScale * mean(i));
      boolean clamped = moments[at(i) + channels] != logVariance(i);
      dMoments[at(i) + channels] = clamped ? 0f
          : (float) (0.5 * (dz[i] * normal[i] * std + klScale * (std * std - 1)));
    }
    return dMoments;
  }

  private int at(int i) {
    return i / channels * 2 * channels + i % channels;
  }

  private float mean(int i) {
    return moments[at(i)];
  }

  private float logVariance(int i) {
    return Math.max(MIN_LOG_VARIANCE, Math.min(MAX_LOG_VARIANCE, moments[at(i) + channels]));
  }

  private float std(int i) {
    return (float) StrictMath.exp(0.5 * logVariance(i));
  }
}
