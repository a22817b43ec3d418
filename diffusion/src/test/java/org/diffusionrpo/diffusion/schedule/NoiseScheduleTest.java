package org.diffusionrpo.diffusion.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class NoiseScheduleTest {
  /** The table is printed with 10 (beta, abar) and 8 (sigma) digits after the point. */
  private static final double PRINTED_10 = 6e-11;
  private static final double PRINTED_8 = 6e-9;
  /** One rounding to float of values of size 1 to 3. */
  private static final float ROUNDING = 3e-7f;

  private static final NoiseSchedule SD = NoiseSchedule.of(SchedulerConfig.stableDiffusion());

  @ParameterizedTest
  @CsvSource({
      "0, 0.0008500000, 0.9991500000, 0.02916716",
      "1, 0.0008546987, 0.9982960278, 0.04131441",
      "10, 0.0008975693, 0.9904313091, 0.09829107",
      "100, 0.0013839726, 0.8942234776, 0.34393123",
      "250, 0.0024277610, 0.6737926252, 0.69579894",
      "500, 0.0048149541, 0.2763326838, 1.61827883",
      "750, 0.0080115793, 0.0561698480, 4.09916405",
      "900, 0.0103180819, 0.0141511420, 8.34659661",
      "981, 0.0116847555, 0.0057755001, 13.12041074",
      "999, 0.0120000000, 0.0046600985, 14.61464123"})
  void hasStableDiffusionsNoiseLevels(int t, double beta, double alphaCumprod, double sigma) {
    assertEquals(beta, SD.beta(t), PRINTED_10);
    assertEquals(alphaCumprod, SD.alphaCumprod(t), PRINTED_10);
    assertEquals(sigma, SD.sigma(t), PRINTED_8);
    assertEquals(1 / (sigma * sigma), SD.snr(t), SD.snr(t) * 1e-5);
  }

  @Test
  void interpolatesTheVariancesThemselvesWhenLinear() throws IOException {
    NoiseSchedule linear = NoiseSchedule.of(config("{}"));
    assertEquals(0.0001, linear.beta(0), 1e-15);
    assertEquals(0.0001 + 0.0199 * 333 / 999, linear.beta(333), 1e-13);
    assertEquals(0.02, linear.beta(999), 1e-13);
  }

  @Test
  void takesTrainedVariancesAsTheyAre() throws IOException {
    NoiseSchedule trained =
        NoiseSchedule.of(config("{\"num_train_timesteps\": 3, \"trained_betas\": [0.1, 0.2, 0.5]}"));
    assertEquals(3, trained.trainTimesteps());
    assertEquals(0.9 * 0.8 * 0.5, trained.alphaCumprod(2), 1e-15);
  }

  @Test
  void endsInPureNoiseWhenRescaledToZeroTerminalSnr() throws IOException {
    for (NoiseSchedule zero : new NoiseSchedule[] {SD.zeroTerminalSnr(), NoiseSchedule.of(config("""
        {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
         "rescale_betas_zero_snr": true}"""))}) {
      assertEquals(0.99915, zero.alphaCumprod(0), 1e-12);
      assertEquals(0.24101878, zero.alphaCumprod(500), PRINTED_8);
      assertEquals(1.9678880e-7, zero.alphaCumprod(998), 6e-15);
      assertEquals(0, zero.alphaCumprod(999));
      assertEquals(0, zero.snr(999));
    }
  }

  @Test
  void noisesEachSampleToItsOwnTimestep() {
    float[] x0 = {1, -2, 3, 0.5f, -1, 2};
    float[] noise = {0.1f, 0.2f, -0.3f, 1, 2, -3};
    float[] xt = new float[6];
    SD.addNoise(xt, x0, noise, new int[] {0, 999});
    for (int i = 0; i < 6; i++) {
      double alphaCumprod = SD.alphaCumprod(i < 3 ? 0 : 999);
      assertEquals(Math.sqrt(alphaCumprod) * x0[i] + Math.sqrt(1 - alphaCumprod) * noise[i], xt[i], ROUNDING);
    }
    SD.addNoise(x0, x0, noise, new int[] {0, 999});
    assertArrayEquals(xt, x0, "in place");
  }

  @ParameterizedTest
  @EnumSource
  void conversionsRecoverNoiseAndCleanSampleFromTheTrainingTarget(PredictionType prediction) {
    float[] x0 = {1, -2, 0.3f};
    float[] noise = {0.7f, 0.2f, -1.3f};
    int[] timesteps = {10, 500, 900};
    float[] xt = new float[3];
    float[] target = new float[3];
    SD.addNoise(xt, x0, noise, timesteps);
    SD.trainingTarget(target, prediction, x0, noise, timesteps);
    for (int n = 0; n < 3; n++) {
      double alpha = Math.sqrt(SD.alphaCumprod(timesteps[n]));
      double sigma = Math.sqrt(1 - SD.alphaCumprod(timesteps[n]));
      double amplified = ROUNDING / Math.min(alpha, sigma); // the conversions divide by one of them
      assertEquals(x0[n], prediction.cleanSample(alpha, sigma).of(xt[n], target[n]), amplified);
      assertEquals(noise[n], prediction.noise(alpha, sigma).of(xt[n], target[n]), amplified);
    }
  }

  @Test
  void refusesTimestepsAndShapesThatDoNotFit() {
    float[] three = new float[3];
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
        () -> SD.addNoise(three, three, three, new int[] {1000}));
    assertTrue(e.getMessage().contains("timestep 1000 is not one of 0 .. 999"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> SD.addNoise(three, three, three, new int[2]));
    assertThrows(IllegalArgumentException.class, () -> SD.addNoise(three, three, new float[2], new int[1]));
    assertThrows(IllegalArgumentException.class, () -> SD.addNoise(three, three, three, new int[0]));
  }

  private static SchedulerConfig config(String json) throws IOException {
    return new ObjectMapper().readValue(json, SchedulerConfig.class);
  }
}
