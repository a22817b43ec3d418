package org.diffusionrpo.tensor;

import static org.diffusionrpo.tensor.TestTensors.gaussian;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.DoubleSupplier;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Linear;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Pointwise;
import org.diffusionrpo.tensor.nn.Sequential;
import org.diffusionrpo.tensor.nn.Tape;

/** The check itself: it passes what is right and catches small mistakes. */
class GradientCheckTest {
  private final Parameters parameters = new Parameters();
  private final Layer model = new Sequential(List.of(new Linear(parameters.root().at("fc1"), 7, 33, true),
      new Pointwise(Activation.GELU), new Linear(parameters.root().at("fc2"), 33, 3, true)));

  @OnEachBackend
  void directionsPassARightModel(Backend backend) {
    assertTrue(worstDirection(backend, 1).isTolerable(), () -> worstDirection(backend, 1).toString());
  }

  @OnEachBackend
  void directionsCatchOneGradientThatIsFivePercentOff(Backend backend) {
    GradientCheck.Worst worst = worstDirection(backend, 1.05f);
    assertFalse(worst.isTolerable(), worst::toString);
  }

  @OnEachBackend
  void elementsCatchAnInputGradientThatIsHalfAPercentOff(Backend backend) {
    TestTensors.randomize(parameters, backend, 1);
    Layer wrong = new Layer() {
      @Override
      public Tensor forward(Tensor x, Tape tape) {
        return model.forward(x, tape);
      }

      @Override
      public Tensor backward(Tensor dy, Tape tape) {
        Tensor dx = model.backward(dy, tape);
        backend.scale(dx, dx, 1.005f);
        return dx;
      }
    };
    GradientCheck.Worst worst = GradientCheck.worstError(wrong, parameters.all(), gaussian(backend, 1, 3, 7));
    assertFalse(worst.isTolerable(), worst::toString);
    assertEquals("x", worst.gradient());
  }

  private GradientCheck.Worst worstDirection(Backend backend, float mistake) {
    TestTensors.randomize(parameters, backend, 1);
    Tensor x = gaussian(backend, 1, 5, 7);
    Tensor dy = gaussian(backend, 2, 5, 3);
    DoubleSupplier loss = () -> {
      double[] y = TestTensors.doubles(model.forward(x, Tape.NONE));
      double sum = 0;
      for (int i = 0; i < y.length; i++) {
        sum += y[i] * dy.toArray()[i];
      }
      return sum;
    };
    return GradientCheck.worstDirection(parameters.all(), loss, () -> {
      try (Tape tape = new Tape()) {
        model.forward(x, tape);
        model.backward(dy, tape);
      }
      Parameter bias = parameters.get("fc1.bias");
      backend.scale(bias.grad(), bias.grad(), mistake);
    }, 3);
  }
}
