package org.diffusionrpo.tensor.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.OnEachBackend;
import org.diffusionrpo.tensor.nn.Parameters;

class AdafactorTest {
  /** Two roundings of a float near 6. */
  private static final float TOLERANCE = 1e-6f;

  @OnEachBackend
  void followsTheReferenceNumbers(Backend backend) {
    Parameters parameters = OptimizerTesting.parameters(backend, new int[] {2, 3}, 1, 2, 3, 4, 5, 6);
    Adafactor adafactor = new Adafactor(parameters.all(), 0.01);
    OptimizerTesting.step(adafactor, parameters, 0.01, .1f, -.2f, .3f, .4f, 0, -.1f);
    assertArrayEquals(
        new float[] {.9963599079f, 2.0143961737f, 2.9858528538f, 3.9867496750f, 4.9995f, 6.0035886935f},
        parameters.get("p").value().toArray(), TOLERANCE);
    OptimizerTesting.step(adafactor, parameters, 0.01, .1f, -.2f, .3f, .4f, 0, -.1f);
    assertArrayEquals(
        new float[] {.9927201798f, 2.0287909077f, 2.9717071223f, 3.9735006751f, 4.99900005f, 6.0071770281f},
        parameters.get("p").value().toArray(), TOLERANCE);
  }

  @OnEachBackend
  void theSecondMomentOfAConvolutionIsFactoredOverItsKernel(Backend backend) {
    Parameters parameters = OptimizerTesting.parameters(backend, new int[] {5, 3, 2, 7}, new float[210]);
    try (Adafactor adafactor = new Adafactor(parameters.all(), 0)) {
      assertEquals(Set.of("p.exp_avg_sq_row", "p.exp_avg_sq_col"), adafactor.state().keySet());
      assertEquals("[5, 3, 7]", adafactor.state().get("p.exp_avg_sq_row").shape().toString());
      assertEquals("[5, 2, 7]", adafactor.state().get("p.exp_avg_sq_col").shape().toString());
    }
  }

  @OnEachBackend
  void aResumedRunContinuesBitForBit(Backend backend) {
    OptimizerTesting.resumesBitForBit(backend, p -> new Adafactor(p.all(), 0.01));
  }

  @OnEachBackend
  void frozenParametersStayAsTheyAre(Backend backend) {
    OptimizerTesting.leavesFrozenParametersAlone(backend, p -> new Adafactor(p.all(), 0.01));
  }
}
