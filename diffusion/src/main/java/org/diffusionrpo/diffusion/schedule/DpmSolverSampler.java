package org.diffusionrpo.diffusion.schedule;

import org.diffusionrpo.diffusion.schedule.PredictionType.Combination;

/**
 * DPM-Solver++(2M). Lu et al. 2022, arXiv:2211.01095, algorithm 2. x keeps the scale of the forward process,
 * x = alpha * x0 + s * eps; lambda = log(alpha / s) and h = lambda_(i+1) - lambda_i:
 * <pre>
 *   x_(i+1) = s_(i+1) / s_i * x_i - alpha_(i+1) * (exp(-h) - 1) * D
 *   D = m_i + (m_i - m_(i-1)) / (2 r),   r = (lambda_i - lambda_(i-1)) / h
 * </pre>
 * m is the network's x0. The first step and the last one, which goes to no noise at all, take D = m_i.
 */
public final class DpmSolverSampler extends VarianceScale {
  private final PredictionType prediction;
  private final double[] sigmas;

  /** m of the call before. */
  private double[] previous;

  public DpmSolverSampler(SchedulerConfig config, int steps) {
    this(config, grid(config, steps));
  }

  private DpmSolverSampler(SchedulerConfig config, SigmaGrid grid) {
    super(TimestepSpacing.rounded(grid.timesteps()));
    prediction = config.predictionType();
    sigmas = grid.sigmas();
  }

  private static SigmaGrid grid(SchedulerConfig config, int steps) {
    NoiseSchedule schedule = NoiseSchedule.of(config);
    int[] timesteps = config.spacingOr(TimestepSpacing.LINSPACE)
        .timestepsAboveZero(config.numTrainTimesteps(), steps, config.stepsOffset());
    if (config.useKarrasSigmas()) {
      return SigmaGrid.karrasOverAll(schedule, steps);
    }
    double[] exact = new double[steps];
    for (int i = 0; i < steps; i++) {
      exact[i] = timesteps[i];
    }
    return SigmaGrid.at(schedule, exact);
  }

  @Override void advance(float[] x, float[] output, int call, NoiseSource noise) {
    double alpha = alpha(call);
    Combination cleanSample = prediction.cleanSample(alpha, sigmas[call] * alpha);
    double[] current = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      current[i] = cleanSample.of(x[i], output[i]);
    }
    if (call == timesteps.length - 1) { // the limit of h to infinity: all that is left is m
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) current[i];
      }
    } else {
      double ratio = sigmas[call + 1] * alpha(call + 1) / (sigmas[call] * alpha);
      double h = logSnr(call + 1) - logSnr(call);
      double gain = -alpha(call + 1) * Math.expm1(-h);
      double slope = call == 0 ? 0 : h / (logSnr(call) - logSnr(call - 1)) / 2;
      double[] before = call == 0 ? current : previous;
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) (ratio * x[i] + gain * (current[i] + slope * (current[i] - before[i])));
      }
    }
    previous = current;
  }

  private double alpha(int call) {
    return 1 / Math.sqrt(sigmas[call] * sigmas[call] + 1);
  }

  /** lambda; alpha / s is 1 / sigma. */
  private double logSnr(int call) {
    return -Math.log(sigmas[call]);
  }
}
