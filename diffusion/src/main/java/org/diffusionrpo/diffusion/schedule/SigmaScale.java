package org.diffusionrpo.diffusion.schedule;

import org.diffusionrpo.diffusion.schedule.PredictionType.Combination;

/** What the samplers have in common that keep x = x0 + sigma * eps; the network sees x / sqrt(sigma^2 + 1). */
abstract class SigmaScale extends CheckedSampler {
  final double[] sigmas;
  private final double[] timesteps;
  private final PredictionType prediction;
  private final double initNoiseSigma;

  SigmaScale(SigmaGrid grid, SchedulerConfig config) {
    sigmas = grid.sigmas();
    timesteps = grid.timesteps();
    prediction = config.predictionType();
    // Leading spacing starts below the last noise level: there the image itself counts in the variance of x.
    initNoiseSigma = spacing(config) == TimestepSpacing.LEADING ? Math.sqrt(sigmas[0] * sigmas[0] + 1) : sigmas[0];
  }

  static SigmaGrid grid(SchedulerConfig config, int steps) {
    return SigmaGrid.at(NoiseSchedule.of(config),
        spacing(config).fractional(config.numTrainTimesteps(), steps, config.stepsOffset()));
  }

  private static TimestepSpacing spacing(SchedulerConfig config) {
    return config.spacingOr(TimestepSpacing.LINSPACE);
  }

  @Override public final int calls() {
    return timesteps.length;
  }

  @Override public final double timestep(int call) {
    return timesteps[call];
  }

  @Override public final double initNoiseSigma() {
    return initNoiseSigma;
  }

  @Override public final void scaleInput(float[] in, float[] x, int call) {
    double scale = inputScale(call);
    for (int i = 0; i < x.length; i++) {
      in[i] = (float) (scale * x[i]);
    }
  }

  /** dx / dsigma = (x - x0) / sigma = eps, from x and the network's output. */
  final Combination derivative(int call) {
    double scale = inputScale(call);
    Combination ofScaled = prediction.noise(scale, sigmas[call] * scale);
    return new Combination(ofScaled.ofSample() * scale, ofScaled.ofOutput());
  }

  private double inputScale(int call) {
    return 1 / Math.sqrt(sigmas[call] * sigmas[call] + 1);
  }
}
