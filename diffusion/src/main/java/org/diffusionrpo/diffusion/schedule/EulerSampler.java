package org.diffusionrpo.diffusion.schedule;

import org.diffusionrpo.diffusion.schedule.PredictionType.Combination;

/**
 * Euler's method on the probability flow. Karras et al. 2022, arXiv:2206.00364, algorithm 2 without churn and without
 * the second-order correction:
 * <pre>
 *   x_(i+1) = x_i + (sigma_(i+1) - sigma_i) * d,   d = (x_i - x0) / sigma_i
 * </pre>
 */
public final class EulerSampler extends SigmaScale {
  public EulerSampler(SchedulerConfig config, int steps) {
    super(spaced(config, steps), config);
  }

  @Override void advance(float[] x, float[] output, int call, NoiseSource noise) {
    Combination derivative = derivative(call);
    double change = sigmas[call + 1] - sigmas[call];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (x[i] + change * derivative.of(x[i], output[i]));
    }
  }

  private static SigmaGrid spaced(SchedulerConfig config, int steps) {
    SigmaGrid grid = grid(config, steps);
    return config.useKarrasSigmas() ? grid.karras(NoiseSchedule.of(config)) : grid;
  }
}
