package org.diffusionrpo.tensor.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.OnEachBackend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.nn.Init;
import org.diffusionrpo.tensor.nn.Parameters;

class GradientsTest {
  /** Float rounding of a quotient and a product. */
  private static final double TOLERANCE = 1e-6;

  @OnEachBackend
  void theNormIsThatOfAllTrainableParametersTogether(Backend backend) {
    Parameters parameters = gradients(backend);
    assertEquals(13, Gradients.norm(parameters.all()), TOLERANCE);
    parameters.get("c").freeze();
    assertEquals(5, Gradients.norm(parameters.all()), TOLERANCE);
  }

  @OnEachBackend
  void clippingKeepsTheDirectionAndShortensToTheLimit(Backend backend) {
    Parameters parameters = gradients(backend);
    Gradients.clip(parameters.all(), 13, 6.5);
    assertArrayEquals(new float[] {1.5f, -2}, parameters.get("ab").grad().toArray(), (float) TOLERANCE);
    assertEquals(6.5, Gradients.norm(parameters.all()), TOLERANCE);
  }

  @OnEachBackend
  void shortGradientsAreNotTouched(Backend backend) {
    Parameters parameters = gradients(backend);
    Gradients.clip(parameters.all(), 13, 13);
    assertArrayEquals(new float[] {3, -4}, parameters.get("ab").grad().toArray());
  }

  @OnEachBackend
  void aBrokenGradientShowsInTheNorm(Backend backend) {
    Parameters parameters = gradients(backend);
    backend.write(parameters.get("c").grad(), new float[] {Float.NaN});
    assertEquals(Double.NaN, Gradients.norm(parameters.all()));
    backend.write(parameters.get("c").grad(), new float[] {Float.NEGATIVE_INFINITY});
    assertEquals(Double.POSITIVE_INFINITY, Gradients.norm(parameters.all()));
  }

  private static Parameters gradients(Backend backend) {
    Parameters parameters = new Parameters();
    parameters.root().create("ab", Shape.of(2), Init.ZEROS);
    parameters.root().create("c", Shape.of(1), Init.ZEROS);
    parameters.initialize(backend, 1);
    parameters.unfreeze();
    backend.write(parameters.get("ab").grad(), new float[] {3, -4});
    backend.write(parameters.get("c").grad(), new float[] {12});
    return parameters;
  }
}
