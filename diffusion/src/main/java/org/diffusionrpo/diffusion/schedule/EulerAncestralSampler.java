package org.diffusionrpo.diffusion.schedule;

import org.diffusionrpo.diffusion.schedule.PredictionType.Combination;

/**
 * Euler's method to a noise level below the next one, then fresh noise up to it. Song et al. 2021, arXiv:2011.13456,
 * appendix F (ancestral sampling of the variance-exploding process), in the form of k-diffusion:
 * <pre>
 *   up^2 = sigma_(i+1)^2 * (sigma_i^2 - sigma_(i+1)^2) / sigma_i^2      down^2 = sigma_(i+1)^2 - up^2
 *   x_(i+1) = x_i + (down - sigma_i) * d + up * noise
 * </pre>
 */
public final class EulerAncestralSampler extends SigmaScale {
  public EulerAncestralSampler(SchedulerConfig config, int steps) {
    super(grid(config, steps), config);
  }

  @Override void advance(float[] x, float[] output, int call, NoiseSource noise) {
    double from = sigmas[call];
    double to = sigmas[call + 1];
    double up = to * Math.sqrt((from - to) * (from + to)) / from;
    double down = to * to / from; // sqrt(to^2 - up^2)
    Combination derivative = derivative(call);
    float[] fresh = new float[x.length];
    if (up > 0) {
      noise.fill(fresh);
    }
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (x[i] + (down - from) * derivative.of(x[i], output[i]) + up * fresh[i]);
    }
  }
}
