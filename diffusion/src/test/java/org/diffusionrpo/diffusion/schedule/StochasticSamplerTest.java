package org.diffusionrpo.diffusion.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The samplers that draw noise, with the perfect network for Gaussian data. A step is affine in x and the noise then,
 * so it turns one normal distribution into another: mean and variance follow without drawing a single number. The mean
 * of q(x_p | x_t, x0) is linear in x0, so with E[x0 | x_t] in place of x0 the mean is right however long the steps are;
 * the variance misses that of x0 given x_t, which costs O(step).
 */
class StochasticSamplerTest {
  private static final GaussianData DATA = new GaussianData(0.7, 0.4);
  /** Where q(x_p | x_t) needs no x0: x0 is known, or x_t is noise alone. */
  private static final GaussianData POINT = new GaussianData(0.7, 0);
  private static final GaussianData STANDARD = new GaussianData(0, 1);
  /** Stable Diffusion's schedule, and the same on a grid so fine that rounding of timesteps plays no part. */
  private static final int TIMESTEPS = 1000;
  private static final int FINE = 16_000;
  /** Of the deviation: rounding of x to float in the scale of the sampler, some ten times. */
  private static final double ROUNDING = 1e-5;
  private static final double ORDER_TOLERANCE = 0.1;

  /** Mean and variance of x in the scale of the sampler. */
  private record Normal(double mean, double variance) {}

  @ParameterizedTest
  @EnumSource(names = {"DDPM", "EULER_ANCESTRAL"})
  void meanIsExactInAnyNumberOfSteps(SamplerKind kind) {
    Run run = new Run(kind.create(config(TIMESTEPS, null), 7), config(TIMESTEPS, null), DATA);
    for (int call = 0; call < 7; call++) {
      run.step(call);
      assertEquals(run.expected(call + 1).mean, run.x.mean, ROUNDING * Math.sqrt(run.expected(call + 1).variance),
          kind.label() + " after call " + call);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"DDPM", "EULER_ANCESTRAL"})
  void varianceConvergesWithOrderOne(SamplerKind kind) {
    double coarse = varianceErrorAtQuarter(kind, 40);
    double fine = varianceErrorAtQuarter(kind, 80);
    assertTrue(coarse < 0.1, kind.label() + " " + coarse);
    assertEquals(1, Math.log(coarse / fine) / Math.log(2), ORDER_TOLERANCE, kind.label());
  }

  @ParameterizedTest
  @EnumSource(names = {"DDPM", "EULER_ANCESTRAL"})
  void varianceIsExactWhereTheImageIsKnown(SamplerKind kind) {
    assertVarianceExact(kind.create(config(TIMESTEPS, null), 7), POINT, 6);
  }

  /** Ho et al. 2020, section 3.2: the larger variance is right for x0 ~ N(0, 1). */
  @Test
  void largeVarianceOfDdpmIsExactForStandardNormalData() {
    SchedulerConfig large = config(TIMESTEPS, DdpmSampler.VarianceType.FIXED_LARGE);
    assertVarianceExact(new DdpmSampler(large, 7), STANDARD, 7);
  }

  private static void assertVarianceExact(Sampler sampler, GaussianData data, int calls) {
    Run run = new Run(sampler, config(TIMESTEPS, null), data);
    for (int call = 0; call < calls; call++) {
      run.step(call);
      double expected = run.expected(call + 1).variance;
      assertEquals(expected, run.x.variance, ROUNDING * expected, "after call " + call);
    }
  }

  /** Relative error of the variance after three quarters of the way from T - 1 to 0. */
  private static double varianceErrorAtQuarter(SamplerKind kind, int steps) {
    SchedulerConfig config = config(FINE, null);
    Run run = new Run(kind.create(config, steps), config, DATA);
    int call = 0;
    for (; run.sampler.timestep(call) > FINE / 4.0 - 1; call++) {
      run.step(call);
    }
    return Math.abs(run.x.variance / run.expected(call).variance - 1);
  }

  /** The distribution on its way. */
  private static final class Run {
    private final Sampler sampler;
    private final NoiseSchedule schedule;
    private final GaussianData data;
    private Normal x;

    Run(Sampler sampler, SchedulerConfig config, GaussianData data) {
      this.sampler = sampler;
      this.schedule = NoiseSchedule.of(config);
      this.data = data;
      this.x = expected(0);
    }

    /** The forward process at the timestep of this call; after the last one the data. */
    Normal expected(int call) {
      if (call == sampler.calls()) {
        return new Normal(data.mean(), data.deviation() * data.deviation());
      }
      double alphaCumprod = schedule.alphaCumprod((int) sampler.timestep(call));
      double scale = 1 / inputScale(call);
      return new Normal(scale * Math.sqrt(alphaCumprod) * data.mean(), scale * scale * data.variance(alphaCumprod));
    }

    /** x' = a x + b + s noise, found by three points. */
    void step(int call) {
      float[] points = {0, 1, 0};
      float[] in = new float[3];
      float[] output = new float[3];
      sampler.scaleInput(in, points, call);
      data.predict(output, in, schedule.alphaCumprod((int) sampler.timestep(call)), PredictionType.EPSILON);
      sampler.step(points, output, call, noise -> noise[2] = 1);
      double a = (double) points[1] - points[0];
      double s = (double) points[2] - points[0];
      x = new Normal(a * x.mean + points[0], a * a * x.variance + s * s);
    }

    private double inputScale(int call) {
      float[] in = new float[1];
      sampler.scaleInput(in, new float[] {1}, call);
      return in[0];
    }
  }

  private static SchedulerConfig config(int timesteps, DdpmSampler.VarianceType variance) {
    double fineness = 1000.0 / timesteps;
    return new SchedulerConfig("DDPMScheduler", timesteps, 0.00085 * fineness, 0.012 * fineness,
        BetaSchedule.SCALED_LINEAR, null, PredictionType.EPSILON, TimestepSpacing.TRAILING, 0, true, false, false,
        false, variance, true);
  }
}
