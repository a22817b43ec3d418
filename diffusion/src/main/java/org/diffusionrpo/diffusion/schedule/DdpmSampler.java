package org.diffusionrpo.diffusion.schedule;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.diffusionrpo.diffusion.schedule.PredictionType.Combination;

/**
 * Ancestral sampling of DDPM. Ho et al. 2020, arXiv:2006.11239, equations 6 and 7, from t to the next timestep p of
 * the list (after the last: no noise, abar_p = 1), with alpha = abar_t / abar_p and beta = 1 - alpha:
 * <pre>
 *   x_p = sqrt(abar_p) * beta / (1 - abar_t) * x0 + sqrt(alpha) * (1 - abar_p) / (1 - abar_t) * x_t + s * noise
 * </pre>
 * No noise is added at t = 0.
 */
public final class DdpmSampler extends VarianceScale {
  /** Keeps s above 0 where the posterior is certain, as the reference does. */
  private static final double MIN_VARIANCE = 1e-20;

  private final NoiseSchedule schedule;
  private final PredictionType prediction;
  private final VarianceType varianceType;
  private final boolean clip;

  /** The variance s^2 of a step; both choices of Ho et al. 2020, section 3.2. */
  public enum VarianceType {
    /** {@code (1 - abar_p) / (1 - abar_t) * beta}: right where x0 is a single point. */
    @JsonProperty("fixed_small") FIXED_SMALL,
    /** {@code beta}: right where x0 ~ N(0, 1). */
    @JsonProperty("fixed_large") FIXED_LARGE
  }

  /** Weights of x0 and x_t in the mean, and the variance. */
  record Posterior(double ofCleanSample, double ofSample, double variance) {}

  public DdpmSampler(SchedulerConfig config, int steps) {
    super(config.spacingOr(TimestepSpacing.LEADING)
        .timesteps(config.numTrainTimesteps(), steps, config.stepsOffset()));
    schedule = NoiseSchedule.of(config);
    prediction = config.predictionType();
    varianceType = config.varianceType();
    clip = config.clipSample();
    checkSignal(schedule, timesteps, prediction, "DDPM");
  }

  Posterior posterior(int call) {
    double from = schedule.alphaCumprod(timesteps[call]);
    double to = call + 1 < timesteps.length ? schedule.alphaCumprod(timesteps[call + 1]) : 1;
    double alpha = from / to;
    double beta = 1 - alpha;
    double variance = switch (varianceType) {
      case FIXED_SMALL -> Math.max(MIN_VARIANCE, (1 - to) / (1 - from) * beta);
      case FIXED_LARGE -> beta;
    };
    return new Posterior(Math.sqrt(to) * beta / (1 - from), Math.sqrt(alpha) * (1 - to) / (1 - from), variance);
  }

  @Override void advance(float[] x, float[] output, int call, NoiseSource noise) {
    int t = timesteps[call];
    double alphaCumprod = schedule.alphaCumprod(t);
    Combination cleanSample = prediction.cleanSample(Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod));
    Posterior posterior = posterior(call);
    double deviation = Math.sqrt(posterior.variance);
    float[] fresh = new float[x.length];
    if (t > 0) {
      noise.fill(fresh);
    }
    for (int i = 0; i < x.length; i++) {
      double x0 = cleanSample.of(x[i], output[i]);
      x[i] = (float) (posterior.ofCleanSample * (clip ? clamp(x0) : x0) + posterior.ofSample * x[i]
          + deviation * fresh[i]);
    }
  }
}
