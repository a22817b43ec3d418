package org.diffusionrpo.tensor.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.OnEachBackend;
import org.diffusionrpo.tensor.nn.Parameters;

class AdamWTest {
  /** Two roundings of a float near 1. */
  private static final double TOLERANCE = 1.2e-7;

  /** Rounding of a few float operations, relative. */
  private static final double MOMENT_TOLERANCE = 3e-7;

  @OnEachBackend
  void followsTheReferenceNumbers(Backend backend) {
    Parameters parameters = OptimizerTesting.parameters(backend, new int[] {1}, 1);
    AdamW adamW = new AdamW(parameters.all(), AdamW.Options.DEFAULT);
    OptimizerTesting.step(adamW, parameters, 1e-3, 0.1f);
    assertEquals(0.9989900001, parameters.get("p").value().toArray()[0], TOLERANCE);
    OptimizerTesting.step(adamW, parameters, 1e-3, -0.2f);
    assertEquals(0.9993461137, parameters.get("p").value().toArray()[0], TOLERANCE);
  }

  @OnEachBackend
  void momentsUseTheDecayRatesInDouble(Backend backend) {
    Parameters parameters = OptimizerTesting.parameters(backend, new int[] {1}, 1);
    AdamW adamW = new AdamW(parameters.all(), AdamW.Options.DEFAULT);
    OptimizerTesting.step(adamW, parameters, 1e-3, 3);
    assertEquals(1, adamW.state().get("p.exp_avg").toArray()[0] / 0.3, MOMENT_TOLERANCE);
    assertEquals(1, adamW.state().get("p.exp_avg_sq").toArray()[0] / 9e-3, MOMENT_TOLERANCE);
  }

  @OnEachBackend
  void aResumedRunContinuesBitForBit(Backend backend) {
    OptimizerTesting.resumesBitForBit(backend, p -> new AdamW(p.all(), AdamW.Options.DEFAULT));
  }

  @OnEachBackend
  void frozenParametersAndZeroRatesChangeNothing(Backend backend) {
    OptimizerTesting.leavesFrozenParametersAlone(backend, p -> new AdamW(p.all(), AdamW.Options.DEFAULT));
    Parameters parameters = OptimizerTesting.parameters(backend, new int[] {3}, 1, 2, 3);
    AdamW adamW = new AdamW(parameters.all(), AdamW.Options.DEFAULT);
    OptimizerTesting.step(adamW, parameters, 0, 5, 6, 7);
    assertArrayEquals(new float[] {1, 2, 3}, parameters.get("p").value().toArray());
    assertEquals(1, adamW.steps());
  }
}
