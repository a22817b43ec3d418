package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.diffusionrpo.tensor.Philox;
import org.junit.jupiter.api.Test;

class PosteriorTest {
  private static final int CHANNELS = 3;
  private static final int ROWS = 5;
  private static final double KL_SCALE = 0.7;

  /** Step of the differences; samples are floats, so it cannot be much smaller. */
  private static final float STEP = 1e-2f;

  /** float rounding of the samples over the step, and a truncation of STEP^2 / 6. */
  private static final double TOLERANCE = 1e-3;

  @Test
  void gradientsMatchFiniteDifferences() {
    float[] moments = gaussian("moments", ROWS * 2 * CHANNELS);
    float[] dz = gaussian("dz", ROWS * CHANNELS);
    float[] gradient = posterior(moments).backward(dz, KL_SCALE);
    for (int i = 0; i < moments.length; i++) {
      float[] up = moments.clone();
      float[] down = moments.clone();
      up[i] += STEP;
      down[i] -= STEP;
      double numeric = (loss(up, dz) - loss(down, dz)) / ((double) up[i] - down[i]);
      assertEquals(numeric, gradient[i], TOLERANCE * Math.max(1, Math.abs(numeric)), "moment " + i);
    }
  }

  @Test
  void theSampleIsMeanPlusStdTimesNormal() {
    float[] moments = gaussian("moments", ROWS * 2 * CHANNELS);
    float[] normal = new float[ROWS * CHANNELS];
    random().fillGaussian(normal);
    float[] z = posterior(moments).sample();
    for (int i = 0; i < z.length; i++) {
      int at = i / CHANNELS * 2 * CHANNELS + i % CHANNELS;
      double expected = moments[at] + Math.exp(0.5 * moments[at + CHANNELS]) * normal[i];
      assertEquals(expected, z[i], 1e-6 * Math.max(1, Math.abs(expected)));
    }
  }

  @Test
  void extremeLogVariancesAreClampedAndHaveNoGradient() {
    float[] moments = {0.5f, -0.5f, 1f, 31f, -40f, 20.5f};
    Posterior posterior = posterior(moments);
    float[] z = posterior.sample();
    float[] normal = new float[CHANNELS];
    random().fillGaussian(normal);
    assertEquals(Math.exp(10) * normal[0] + 0.5, z[0], 1e-2, "log variance 20 at most");
    assertEquals(-0.5 + Math.exp(-15) * normal[1], z[1], 1e-6, "log variance -30 at least");
    float[] gradient = posterior.backward(new float[] {1, 1, 1}, KL_SCALE);
    for (int i = CHANNELS; i < 2 * CHANNELS; i++) {
      assertEquals(0f, gradient[i], "of a clamped log variance");
    }
    assertTrue(Double.isFinite(posterior.kl()));
  }

  @Test
  void theStandardNormalHasNoDivergenceAndUnitStd() {
    Posterior posterior = posterior(new float[ROWS * 2 * CHANNELS]);
    assertEquals(0, posterior.kl());
    assertEquals(1, posterior.meanStd());
  }

  private static double loss(float[] moments, float[] dz) {
    Posterior posterior = posterior(moments);
    double sum = KL_SCALE * posterior.kl();
    float[] z = posterior.sample();
    for (int i = 0; i < z.length; i++) {
      sum += (double) z[i] * dz[i];
    }
    return sum;
  }

  private static Posterior posterior(float[] moments) {
    return new Posterior(moments, CHANNELS, random());
  }

  private static Philox random() {
    return Philox.stream(4, "posterior", 0);
  }

  private static float[] gaussian(String purpose, int length) {
    float[] values = new float[length];
    Philox.stream(4, purpose, 1).fillGaussian(values);
    return values;
  }
}
