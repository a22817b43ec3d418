package org.diffusionrpo.diffusion.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Samplers with the perfect network for Gaussian data against the exact solution. */
class SamplerConvergenceTest {
  private static final GaussianData DATA = new GaussianData(0.7, 0.4);
  /** Stable Diffusion's schedule on a grid so fine that rounding of timesteps plays no part. */
  private static final int FINE = 16_000;
  /** Rounding of x to float, up to 160 times. */
  private static final double ROUNDING = 1e-5;

  /**
   * Halving the step divides the error by 2^order. PNDM's fourth order does not show: its first step has order 2, and
   * rounding to float is near.
   */
  @ParameterizedTest
  @CsvSource({"DDIM, 40, 1, 0.05", "EULER, 40, 1, 0.05", "DPM_SOLVER, 40, 2, 0.1", "PNDM, 80, 2, 0.2"})
  void errorShrinksWithTheMethodsOrder(SamplerKind kind, int steps, double order, double tolerance) {
    double ratio = errorAtQuarter(kind, steps) / errorAtQuarter(kind, 2 * steps);
    assertEquals(order, Math.log(ratio) / Math.log(2), tolerance);
  }

  /** On noise levels spaced by Karras et al., halfway down their list, where 41 and 81 levels have one in common. */
  @ParameterizedTest
  @CsvSource({"EULER, 1, 0.05", "DPM_SOLVER, 2, 0.1"})
  void errorShrinksWithTheMethodsOrderOnKarrasSigmas(SamplerKind kind, double order, double tolerance) {
    double ratio = errorHalfwayOnKarrasSigmas(kind, 41) / errorHalfwayOnKarrasSigmas(kind, 81);
    assertEquals(order, Math.log(ratio) / Math.log(2), tolerance);
  }

  @Test
  void secondOrderBeatsFirstOrder() {
    assertTrue(errorAtQuarter(SamplerKind.DPM_SOLVER, 40) < errorAtQuarter(SamplerKind.DDIM, 40) / 5);
  }

  /**
   * All parametrisations of one perfect network describe the same flow; not quite where the history mixes outputs of
   * different noise levels (PNDM) or the network hears a rounded timestep (Karras).
   */
  @ParameterizedTest
  @EnumSource(value = SamplerKind.class, mode = EnumSource.Mode.EXCLUDE, names = {"PNDM", "DPM_SOLVER_KARRAS"})
  void predictionTypesGiveTheSameSample(SamplerKind kind) {
    float expected = run(kind, config(1000, PredictionType.EPSILON), 20, new float[] {0.8f}, new Random(3))[0];
    for (PredictionType prediction : PredictionType.values()) {
      float sample = run(kind, config(1000, prediction), 20, new float[] {0.8f}, new Random(3))[0];
      assertEquals(expected, sample, ROUNDING, () -> kind + " " + prediction);
    }
  }

  /** 20,000 draws fix mean and deviation to 0.7 %; the rest is what 200 steps leave over. */
  @ParameterizedTest
  @EnumSource
  void samplesFollowTheDataDistribution(SamplerKind kind) {
    Random random = new Random(11);
    float[] x = new float[20_000];
    fill(x, random);
    float[] samples = run(kind, config(1000, PredictionType.EPSILON), 200, x, random);
    double sum = 0;
    double squares = 0;
    for (float sample : samples) {
      sum += sample;
      squares += (double) sample * sample;
    }
    double mean = sum / samples.length;
    double deviation = Math.sqrt(squares / samples.length - mean * mean);
    assertEquals(DATA.mean(), mean, 0.02, kind::label);
    assertEquals(DATA.deviation(), deviation, 0.02, kind::label);
  }

  /** Error, in the scale of the forward process, after three quarters of the way from T - 1 to 0. */
  private static double errorAtQuarter(SamplerKind kind, int steps) {
    SchedulerConfig config = config(FINE, PredictionType.EPSILON);
    NoiseSchedule schedule = NoiseSchedule.of(config);
    Sampler sampler = kind.create(config, steps);
    double from = schedule.alphaCumprod((int) sampler.timestep(0));
    float[] x = {(float) (DATA.flow(from, 1) * scale(sampler, 0))};
    int call = 0;
    for (; sampler.timestep(call) > FINE / 4.0 - 1; call++) {
      step(sampler, schedule, config.predictionType(), x, call, new Random(0));
    }
    double to = schedule.alphaCumprod((int) sampler.timestep(call));
    return Math.abs(x[0] / scale(sampler, call) - DATA.flow(to, 1));
  }

  /**
   * The network is told the exact noise level here, where a run rounds it to a timestep. Linspace reaches both ends of
   * the schedule, so that the range of the noise levels is the same for any number of them.
   */
  private static double errorHalfwayOnKarrasSigmas(SamplerKind kind, int steps) {
    SchedulerConfig config = config(FINE, PredictionType.EPSILON).withKarrasSigmas(true)
        .withTimestepSpacing(TimestepSpacing.LINSPACE);
    Sampler sampler = kind.create(config, steps);
    double[] sigmas = sampler instanceof EulerSampler euler ? euler.sigmas
        : SigmaGrid.karrasOverAll(NoiseSchedule.of(config), steps).sigmas();
    float[] x = {(float) (DATA.flow(alphaCumprod(sigmas[0]), 1) * scale(sampler, 0))};
    int halfway = steps / 2;
    for (int call = 0; call < halfway; call++) {
      float[] in = new float[1];
      float[] output = new float[1];
      sampler.scaleInput(in, x, call);
      DATA.predict(output, in, alphaCumprod(sigmas[call]), PredictionType.EPSILON);
      sampler.step(x, output, call, noise -> fill(noise, new Random(0)));
    }
    return Math.abs(x[0] / scale(sampler, halfway) - DATA.flow(alphaCumprod(sigmas[halfway]), 1));
  }

  private static double alphaCumprod(double sigma) {
    return 1 / (sigma * sigma + 1);
  }

  /** Runs to the end from where the probability flow has the points x at the first timestep. */
  private static float[] run(SamplerKind kind, SchedulerConfig config, int steps, float[] x, Random random) {
    Sampler sampler = kind.create(config, steps);
    NoiseSchedule schedule = NoiseSchedule.of(config);
    double start = schedule.alphaCumprod((int) sampler.timestep(0));
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (DATA.flow(start, x[i]) * scale(sampler, 0));
    }
    for (int call = 0; call < sampler.calls(); call++) {
      step(sampler, schedule, config.predictionType(), x, call, random);
    }
    return x;
  }

  private static void step(Sampler sampler, NoiseSchedule schedule, PredictionType prediction, float[] x, int call,
      Random random) {
    float[] in = new float[x.length];
    float[] output = new float[x.length];
    sampler.scaleInput(in, x, call);
    DATA.predict(output, in, schedule.alphaCumprod((int) Math.rint(sampler.timestep(call))), prediction);
    sampler.step(x, output, call, noise -> fill(noise, random));
  }

  /** x of the sampler over x of the forward process. */
  private static double scale(Sampler sampler, int call) {
    float[] in = new float[1];
    sampler.scaleInput(in, new float[] {1}, call);
    return 1 / in[0];
  }

  private static SchedulerConfig config(int timesteps, PredictionType prediction) {
    double fineness = 1000.0 / timesteps;
    return new SchedulerConfig("DDIMScheduler", timesteps, 0.00085 * fineness, 0.012 * fineness,
        BetaSchedule.SCALED_LINEAR, null, prediction, TimestepSpacing.TRAILING, 0, true, false, false, false, null,
        true);
  }

  private static void fill(float[] noise, Random random) {
    for (int i = 0; i < noise.length; i++) {
      noise[i] = (float) random.nextGaussian();
    }
  }
}
