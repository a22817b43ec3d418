package org.diffusionrpo.diffusion.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * Trajectories of one number under the network 0.3 x - 0.1. They come from an independent implementation in float64
 * or from diffusers' own classes in float32.
 */
class SamplerGoldenTest {
  /** x is a float: half a unit in the last place of values up to 8 is 2.4e-7 per step; a step passes on part of it. */
  private static final double TOLERANCE = 1.5e-6;
  /** diffusers' float32 tables. */
  private static final double REFERENCE_TOLERANCE = 1e-5;
  /** Sigmas up to 15 of those tables. */
  private static final double SIGMA_TOLERANCE = 2e-6;

  private static final SchedulerConfig SD = SchedulerConfig.stableDiffusion();
  private static final SchedulerConfig LEADING = SD.withTimestepSpacing(TimestepSpacing.LEADING);
  private static final NoiseSource NO_NOISE = noise -> {
    throw new AssertionError("a deterministic sampler asked for noise");
  };

  @Test
  void ddim() {
    assertTrajectory(TOLERANCE, new DdimSampler(SD, 4, 0), 1.9601215646, 2.6942140709, 2.8184410880, 2.8105939988);
    assertFinal(TOLERANCE, 5.2267849075, new DdimSampler(SD, 20, 0));
  }

  @Test
  void pndm() {
    Sampler pndm = new PndmSampler(SD, 4);
    assertArrayEquals(new double[] {751, 501, 501, 251, 1}, timesteps(pndm));
    assertTrajectory(TOLERANCE, pndm, 1.9601215646, 1.7718407200, 2.3548783991, 2.4298054573, 2.4242787274);
    assertFinal(TOLERANCE, 4.9919724323, new PndmSampler(SD, 20));
    assertEquals(51, new PndmSampler(SD, 50).calls());
    assertEquals(1, new PndmSampler(SD, 1).calls());
  }

  @Test
  void euler() {
    EulerSampler euler = new EulerSampler(LEADING, 4);
    assertEquals(4.2364123858, euler.initNoiseSigma(), 1e-10);
    assertArrayEquals(new double[] {4.1166964793, 1.6236920815, 0.6983980912, 0.0413144120, 0}, euler.sigmas, 1e-10);
    assertTrajectory(TOLERANCE, euler, 3.7378115062, 3.2862342940, 2.8208454337, 2.7900442040);
    assertFinal(TOLERANCE, 5.2586157740, new EulerSampler(LEADING, 30));
    assertEquals(14.61464123, new EulerSampler(SD, 4).initNoiseSigma(), 6e-9, "linspace starts at sigma itself");
  }

  @Test
  void eulerOnKarrasSigmas() {
    EulerSampler euler = new EulerSampler(LEADING.withKarrasSigmas(true), 8);
    assertEquals(7.4393620, euler.initNoiseSigma(), SIGMA_TOLERANCE);
    assertArrayEquals(new double[] {876, 760.0445, 610.575, 420.8461, 217.3164, 71.627, 13.7528, 1},
        timesteps(euler), 2e-3); // the reference interpolates logarithms in float32
    assertArrayEquals(new double[] {7.371846, 4.279825, 2.373423, 1.246689, 0.61347, 0.278662, 0.114488, 0.041314, 0},
        euler.sigmas, SIGMA_TOLERANCE);
    assertTrajectory(REFERENCE_TOLERANCE, euler,
        6.8209579, 6.1240083, 5.4329353, 4.8504848, 4.4686879, 4.2730904, 4.1872137, 4.1394918);
  }

  @Test
  void eulerInterpolatesSigmasBetweenTimesteps() {
    NoiseSchedule schedule = NoiseSchedule.of(SD);
    double[] timesteps = {999, 749.25, 499.5, 249.75, 0};
    EulerSampler euler = new EulerSampler(SD, 5);
    assertArrayEquals(timesteps, timesteps(euler), 1e-12);
    for (int i = 0; i < 5; i++) {
      int below = (int) timesteps[i];
      double above = timesteps[i] - below;
      double expected = above == 0 ? schedule.sigma(below)
          : (1 - above) * schedule.sigma(below) + above * schedule.sigma(below + 1);
      assertEquals(expected, euler.sigmas[i], 1e-10, "sigma " + i);
    }
    assertEquals(0, euler.sigmas[5]);
  }

  /** Against k-diffusion's get_ancestral_step with its two square roots. */
  @Test
  void eulerAncestral() {
    EulerAncestralSampler sampler = new EulerAncestralSampler(LEADING, 4);
    assertArrayEquals(new double[] {4.1166964793, 1.6236920815, 0.6983980912, 0.0413144120, 0}, sampler.sigmas, 1e-10);
    double x = sampler.initNoiseSigma();
    double[] expected = new double[4];
    for (int i = 0; i < 4; i++) {
      double from = sampler.sigmas[i];
      double to = sampler.sigmas[i + 1];
      double up = Math.min(to, Math.sqrt(to * to * (from * from - to * to) / (from * from)));
      double down = Math.sqrt(to * to - up * up);
      double output = 0.3 * x / Math.sqrt(from * from + 1) - 0.1;
      x += output * (down - from) + 0.7 * up;
      expected[i] = x;
    }
    assertArrayEquals(expected, run(sampler, noise -> Arrays.fill(noise, 0.7f)), TOLERANCE);
  }

  @Test
  void karrasSigmasOverTheWholeRange() {
    SigmaGrid grid = SigmaGrid.karrasOverAll(NoiseSchedule.of(SD), 5);
    assertArrayEquals(new double[] {14.6146412, 4.7965347, 1.2741002, 0.2479499, 0.0291672, 0}, grid.sigmas(),
        SIGMA_TOLERANCE);
  }

  @Test
  void dpmSolver() {
    Sampler solver = new DpmSolverSampler(SD, 4);
    assertArrayEquals(new double[] {999, 749, 500, 250}, timesteps(solver));
    assertTrajectory(TOLERANCE, solver, 2.9845105894, 5.2835589807, 6.7740828983, 6.9080950946);
    assertFinal(TOLERANCE, 6.0698731596, new DpmSolverSampler(SD, 20));
  }

  @Test
  void dpmSolverOnKarrasSigmas() {
    Sampler solver = SamplerKind.DPM_SOLVER_KARRAS.create(SD, 8);
    assertArrayEquals(new double[] {999, 890, 746, 549, 299, 90, 12, 0}, timesteps(solver));
    assertTrajectory(REFERENCE_TOLERANCE, solver,
        1.6704173, 2.7288455, 4.3161752, 5.8275076, 6.1378114, 5.9184706, 5.7697109, 5.7245952);
  }

  @Test
  void velocityPredictionOnTrailingTimesteps() throws IOException {
    SchedulerConfig velocity = config("""
        {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1,
         "prediction_type": "v_prediction", "timestep_spacing": "trailing", "set_alpha_to_one": true}""");
    assertTrajectory(REFERENCE_TOLERANCE, new EulerSampler(velocity, 4), 3.9875128, 1.6037426, 0.8687938, 0.5217478);
    assertTrajectory(REFERENCE_TOLERANCE, new DpmSolverSampler(velocity, 4),
        0.9510345, 0.8675523, 0.7904651, 0.5715116);
    assertTrajectory(REFERENCE_TOLERANCE, new DdimSampler(velocity, 4, 0),
        0.9510346, 0.8469511, 0.7155067, 0.5227186);
  }

  @Test
  void ddpmPosterior() throws IOException {
    DdpmSampler all = new DdpmSampler(config("""
        {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}"""), 1000);
    DdpmSampler.Posterior posterior = all.posterior(499);
    assertEquals(500, all.timestep(499));
    assertEquals(0.003506044334, posterior.ofCleanSample(), 1e-12);
    assertEquals(0.995746583178, posterior.ofSample(), 1e-12);
    assertEquals(0.004806058572, posterior.variance(), 1e-12);
    DdpmSampler large = new DdpmSampler(config("{\"variance_type\": \"fixed_large\"}"), 1000);
    assertEquals(0.02, large.posterior(0).variance(), 1e-12);
    assertEquals(1, all.posterior(999).ofCleanSample(), 1e-12, "the last step lands on x0");
  }

  /** Song et al. 2021, section 4.1; where both go from t to the same timestep. */
  @Test
  void ddimWithFullNoiseIsDdpm() throws IOException {
    SchedulerConfig config = config("""
        {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}""");
    NoiseSource noise = array -> Arrays.fill(array, 0.7f);
    DdpmSampler ddpm = new DdpmSampler(config, 10);
    assertArrayEquals(run(ddpm, noise), run(new DdimSampler(config, 10, 1), noise), TOLERANCE);
    DdimSampler half = new DdimSampler(config, 10, 0.5);
    double fresh = run(half, noise)[0] - run(half, array -> Arrays.fill(array, 0))[0];
    assertEquals(0.7 * 0.5 * Math.sqrt(ddpm.posterior(0).variance()), fresh, TOLERANCE, "eta scales the noise");
  }

  @Test
  void aSecondRunForgetsTheFirst() {
    for (SamplerKind kind : SamplerKind.values()) {
      Sampler sampler = kind.create(SD, 5);
      double[] first = run(sampler, noise -> Arrays.fill(noise, 0.5f));
      assertArrayEquals(first, run(sampler, noise -> Arrays.fill(noise, 0.5f)), 0, kind.label());
    }
  }

  @Test
  void everySamplerSurvivesZeroTerminalSnrOrSaysWhyNot() throws IOException {
    String json = """
        {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "prediction_type": "%s",
         "timestep_spacing": "trailing", "rescale_betas_zero_snr": true}""";
    SchedulerConfig velocity = config(json.formatted("v_prediction"));
    for (SamplerKind kind : SamplerKind.values()) {
      if (kind == SamplerKind.PNDM) {
        assertThrows(IllegalArgumentException.class, () -> kind.create(velocity, 4));
      } else {
        double[] values = run(kind.create(velocity, 4), noise -> Arrays.fill(noise, 0.5f));
        assertTrue(Arrays.stream(values).allMatch(Double::isFinite), kind.label() + " " + Arrays.toString(values));
      }
    }
    SchedulerConfig epsilon = config(json.formatted("epsilon"));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new DdimSampler(epsilon, 4, 0));
    assertTrue(e.getMessage().contains("v_prediction"), e.getMessage());
  }

  @Test
  void clampsTheCleanSampleWhereTheConfigSaysSo() throws IOException {
    SchedulerConfig clipping = config("{\"clip_sample\": true, \"prediction_type\": \"sample\"}");
    for (Sampler sampler : new Sampler[] {new DdimSampler(clipping, 3, 0), new DdpmSampler(clipping, 3)}) {
      float[] x = {0.5f, 0.5f};
      for (int call = 0; call < 3; call++) {
        sampler.step(x, new float[] {9, 0.25f}, call, noise -> Arrays.fill(noise, 0));
      }
      assertArrayEquals(new float[] {1, 0.25f}, x, 1e-6f);
    }
  }

  @Test
  void refusesCallsOutOfOrderAndOutputsOfAnotherSize() {
    Sampler sampler = new DpmSolverSampler(SD, 3);
    float[] x = {1};
    assertThrows(IllegalStateException.class, () -> sampler.step(x, x.clone(), 1, NO_NOISE));
    assertThrows(IllegalArgumentException.class, () -> sampler.step(x, new float[2], 0, NO_NOISE));
    for (int call = 0; call < 3; call++) {
      sampler.step(x, x.clone(), call, NO_NOISE);
    }
    assertThrows(IllegalStateException.class, () -> sampler.step(x, x.clone(), 3, NO_NOISE));
    assertThrows(IllegalArgumentException.class, () -> new DdimSampler(SD, 4, 1.5));
  }

  private static void assertTrajectory(double tolerance, Sampler sampler, double... expected) {
    assertArrayEquals(expected, run(sampler, NO_NOISE), tolerance);
  }

  private static void assertFinal(double tolerance, double expected, Sampler sampler) {
    double[] values = run(sampler, NO_NOISE);
    assertEquals(expected, values[values.length - 1], tolerance);
  }

  private static double[] run(Sampler sampler, NoiseSource noise) {
    float[] x = {(float) sampler.initNoiseSigma()};
    float[] in = new float[1];
    double[] values = new double[sampler.calls()];
    for (int call = 0; call < values.length; call++) {
      sampler.scaleInput(in, x, call);
      sampler.step(x, new float[] {(float) (0.3 * in[0] - 0.1)}, call, noise);
      values[call] = x[0];
    }
    return values;
  }

  private static double[] timesteps(Sampler sampler) {
    double[] timesteps = new double[sampler.calls()];
    Arrays.setAll(timesteps, sampler::timestep);
    return timesteps;
  }

  private static SchedulerConfig config(String json) throws IOException {
    return new ObjectMapper().readValue(json, SchedulerConfig.class);
  }
}
