package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Tensor;

/** An {@link Activation} as a layer: y = f(x), any shape. Keeps x for backward. */
public final class Pointwise implements Layer {
  private final Activation activation;

  public Pointwise(Activation activation) {
    this.activation = activation;
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    Tensor y = x.backend().empty(x.shape());
    x.backend().activationForward(activation, y, x);
    tape.push(this, x);
    return y;
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    try (Tape.Frame saved = tape.pop(this)) {
      Tensor dx = dy.backend().empty(dy.shape());
      dy.backend().activationBackward(activation, dx, dy, saved.get(0));
      return dx;
    }
  }
}
