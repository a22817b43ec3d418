package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.diffusionrpo.diffusion.schedule.NoiseSchedule;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.optim.Gradients;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NoiseObjectiveTest {
  private static final int BATCH = 5;
  private static final double DROPOUT = 0.3;
  private static final double GAMMA = 5;

  /** Relative to the largest gradient of a tensor: a batch's sum in another order, in float32. */
  private static final double REORDERED = 1e-4;

  /** Relative: the loss is a double of float32 errors, its change along the gradient a thousandth of it. */
  private static final double SLOPE = 5e-3;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 7})
  void microBatchesGiveTheLossAndGradientOfTheWholeBatch(int microBatch) {
    Gradient whole = gradient(options(BATCH, 21, GAMMA), 3);
    Gradient parts = gradient(options(microBatch, 21, GAMMA), 3);
    assertEquals(whole.loss, parts.loss, REORDERED * whole.loss);
    for (int i = 0; i < whole.values.length; i++) {
      float largest = 0;
      for (float value : whole.values[i]) {
        largest = Math.max(largest, Math.abs(value));
      }
      assertArrayEquals(whole.values[i], parts.values[i], (float) (REORDERED * Math.max(largest, 1e-3)), "tensor " + i);
    }
  }

  @Test
  void resultsAreAFunctionOfSeedAndStepAlone() {
    NoiseObjective.Options options = options(BATCH, 21, GAMMA);
    Gradient direct = gradient(options, 6);
    withUnet((backend, unet) -> {
      NoiseObjective objective = TinyNoise.objective(backend, unet, options);
      for (int step = 0; step < 6; step++) {
        objective.accumulate(step);
      }
      unet.parameters().zeroGrad();
      assertSame(direct, gradient(unet, objective.accumulate(6).get(TrainLoop.LOSS)));
    });
    assertNotEquals(direct.loss, gradient(options, 7).loss, "another step");
    assertNotEquals(direct.loss, gradient(options(BATCH, 22, GAMMA), 6).loss, "another seed");
  }

  @ParameterizedTest
  @ValueSource(doubles = {GAMMA, Double.POSITIVE_INFINITY})
  void theGradientIsThatOfTheReportedLoss(double gamma) {
    withUnet((backend, unet) -> {
      NoiseObjective objective = TinyNoise.objective(backend, unet, options(2, 21, gamma));
      objective.accumulate(0);
      double norm = Gradients.norm(unet.parameters().all());
      float[][] direction = gradient(unet, 0).values;
      double h = 2e-3 / norm;
      move(unet, direction, h / norm);
      double up = objective.accumulate(0).get(TrainLoop.LOSS);
      move(unet, direction, -2 * h / norm);
      double down = objective.accumulate(0).get(TrainLoop.LOSS);
      assertEquals(norm, (up - down) / (2 * h), SLOPE * norm);
    });
  }

  @Test
  void pureNoiseIsWeighedLikeEveryNoisyTimestep() {
    NoiseSchedule schedule = NoiseSchedule.of(new SchedulerConfig(null, 2, 0.1, 0.5, null, null, null, null, null, null,
        null, null, true, null, null));
    assertEquals(0, schedule.snr(1));
    withUnet((backend, unet) -> {
      NoiseObjective objective = TinyNoise.objective(backend, unet, schedule, options(16, 16, 21, GAMMA));
      assertTrue(Double.isFinite(objective.accumulate(0).get(TrainLoop.LOSS)));
      assertTrue(Double.isFinite(Gradients.norm(unet.parameters().all())));
    });
  }

  private record Gradient(double loss, float[][] values) {}

  private static void assertSame(Gradient expected, Gradient actual) {
    assertEquals(expected.loss, actual.loss);
    for (int i = 0; i < expected.values.length; i++) {
      assertArrayEquals(expected.values[i], actual.values[i], "tensor " + i);
    }
  }

  private static NoiseObjective.Options options(int microBatch, long seed, double gamma) {
    return options(BATCH, microBatch, seed, gamma);
  }

  private static NoiseObjective.Options options(int batch, int microBatch, long seed, double gamma) {
    return new NoiseObjective.Options(batch, microBatch, DROPOUT, gamma, seed);
  }

  private static Gradient gradient(NoiseObjective.Options options, int step) {
    Gradient[] result = new Gradient[1];
    withUnet((backend, unet) -> {
      double loss = TinyNoise.objective(backend, unet, options).accumulate(step).get(TrainLoop.LOSS);
      result[0] = gradient(unet, loss);
    });
    return result[0];
  }

  private static Gradient gradient(UNet2DConditionModel unet, double loss) {
    return new Gradient(loss, unet.parameters().all().stream().map(p -> p.grad().toArray()).toArray(float[][]::new));
  }

  private static void move(UNet2DConditionModel unet, float[][] direction, double factor) {
    int index = 0;
    for (Parameter parameter : unet.parameters().all()) {
      float[] values = parameter.value().toArray();
      float[] along = direction[index++];
      for (int i = 0; i < values.length; i++) {
        values[i] += (float) (factor * along[i]);
      }
      parameter.value().backend().write(parameter.value(), values);
    }
  }

  @FunctionalInterface
  private interface Body {
    void run(Backend backend, UNet2DConditionModel unet);
  }

  private static void withUnet(Body body) {
    try (Backend backend = CpuBackend.poisoned(); UNet2DConditionModel unet = TinyNoise.unet(backend)) {
      body.run(backend, unet);
    }
  }
}
