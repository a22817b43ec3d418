package org.diffusionrpo.tensor.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.OnEachBackend;
import org.diffusionrpo.tensor.nn.Parameters;
import org.junit.jupiter.api.Test;

class EmaTest {
  /** Float rounding of one step. */
  private static final float TOLERANCE = 1e-6f;

  @OnEachBackend
  void theWarmUpCopiesFirstAndThenForgetsSlowerAndSlower(Backend backend) {
    Parameters parameters = OptimizerTesting.parameters(backend, new int[] {1}, 1);
    Ema ema = new Ema(parameters.all(), 0.25);
    float[] expected = {3, 3 + (5 - 3) * 9 / 11f, 0, 0};
    expected[2] = expected[1] + (-1 - expected[1]) * 0.75f; // 3 / 12 is the decay asked for
    expected[3] = expected[2] + (2 - expected[2]) * 0.75f;
    float[] weights = {3, 5, -1, 2};
    for (int t = 1; t <= 4; t++) {
      backend.write(parameters.get("p").value(), new float[] {weights[t - 1]});
      ema.update(t);
      assertEquals(expected[t - 1], ema.averages().get("p").toArray()[0], TOLERANCE, "update " + t);
    }
  }

  @OnEachBackend
  void swappingTwiceRestoresBothBitForBit(Backend backend) {
    Parameters parameters = OptimizerTesting.parameters(backend, new int[] {3}, 1, 2, 3);
    long before = backend.memory().liveBytes();
    try (Ema ema = new Ema(parameters.all(), 0.9)) {
      backend.write(parameters.get("p").value(), new float[] {7, 8, 9});
      ema.swap();
      assertArrayEquals(new float[] {1, 2, 3}, parameters.get("p").value().toArray());
      assertArrayEquals(new float[] {7, 8, 9}, ema.averages().get("p").toArray());
      ema.swap();
      assertArrayEquals(new float[] {7, 8, 9}, parameters.get("p").value().toArray());
      assertEquals(before + 12, backend.memory().liveBytes());
    }
    assertEquals(before, backend.memory().liveBytes());
  }

  @Test
  void aDecayOfOneIsRefused() {
    Parameters none = new Parameters();
    assertEquals("EMA decay 1.0: expected a number from 0 to below 1",
        assertThrows(IllegalArgumentException.class, () -> new Ema(none.all(), 1)).getMessage());
  }
}
