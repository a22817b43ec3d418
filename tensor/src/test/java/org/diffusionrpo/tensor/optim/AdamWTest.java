package org.diffusionrpo.tensor.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Init;
import org.diffusionrpo.tensor.nn.Parameters;
import org.junit.jupiter.api.Test;

class AdamWTest {
  /** Rounding of a few float operations, relative. */
  private static final double MOMENT_TOLERANCE = 3e-7;

  @Test
  void momentsUseTheDecayRatesInDouble() {
    Backend backend = new CpuBackend();
    Parameters parameters = new Parameters();
    parameters.root().create("p", Shape.of(1), Init.ONES);
    parameters.initialize(backend, 1);
    parameters.unfreeze();
    backend.fill(parameters.get("p").grad(), 3);
    AdamW adamW = new AdamW(parameters.all(), AdamW.Options.DEFAULT);
    adamW.step(1e-3);
    assertEquals(1, adamW.state().get("p.exp_avg").toArray()[0] / 0.3, MOMENT_TOLERANCE);
    assertEquals(1, adamW.state().get("p.exp_avg_sq").toArray()[0] / 9e-3, MOMENT_TOLERANCE);
  }
}
