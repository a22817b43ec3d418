package org.diffusionrpo.diffusion.schedule;

import org.diffusionrpo.diffusion.schedule.PredictionType.Combination;

/**
 * DDIM. Song et al. 2021, arXiv:2010.02502, equations 12 and 16, from t to p = t - floor(T / N):
 * <pre>
 *   x_p = sqrt(abar_p) * x0 + sqrt(1 - abar_p - s^2) * eps + s * noise
 *   s^2 = eta^2 * (1 - abar_p) / (1 - abar_t) * (1 - abar_t / abar_p)
 * </pre>
 * eta = 0 is deterministic, eta = 1 is DDPM's variance. Below timestep 0, abar_p is 1 (set_alpha_to_one) or abar_0.
 */
public final class DdimSampler extends VarianceScale {
  private final NoiseSchedule schedule;
  private final PredictionType prediction;
  private final int stride;
  private final double finalAlphaCumprod;
  private final boolean clip;
  private final double eta;

  /** @param eta from 0 (no noise) to 1 */
  public DdimSampler(SchedulerConfig config, int steps, double eta) {
    super(config.spacingOr(TimestepSpacing.LEADING)
        .timesteps(config.numTrainTimesteps(), steps, config.stepsOffset()));
    if (!(eta >= 0 && eta <= 1)) {
      throw new IllegalArgumentException("eta: expected a number from 0 to 1, got " + eta);
    }
    schedule = NoiseSchedule.of(config);
    prediction = config.predictionType();
    stride = config.numTrainTimesteps() / steps;
    finalAlphaCumprod = config.setAlphaToOneOr(true) ? 1 : schedule.alphaCumprod(0);
    clip = config.clipSample();
    this.eta = eta;
    checkSignal(schedule, timesteps, prediction, "DDIM");
  }

  @Override void advance(float[] x, float[] output, int call, NoiseSource noise) {
    int t = timesteps[call];
    double from = schedule.alphaCumprod(t);
    double to = t >= stride ? schedule.alphaCumprod(t - stride) : finalAlphaCumprod;
    double variance = eta * eta * (1 - to) / (1 - from) * (1 - from / to);
    Combination cleanSample = prediction.cleanSample(Math.sqrt(from), Math.sqrt(1 - from));
    Combination epsilon = prediction.noise(Math.sqrt(from), Math.sqrt(1 - from));
    double signal = Math.sqrt(to);
    double direction = Math.sqrt(Math.max(0, 1 - to - variance));
    double deviation = Math.sqrt(variance);
    float[] fresh = new float[variance > 0 ? x.length : 0];
    if (variance > 0) {
      noise.fill(fresh);
    }
    for (int i = 0; i < x.length; i++) {
      double x0 = cleanSample.of(x[i], output[i]);
      double next = signal * (clip ? clamp(x0) : x0) + direction * epsilon.of(x[i], output[i]);
      x[i] = (float) (variance > 0 ? next + deviation * fresh[i] : next);
    }
  }
}
