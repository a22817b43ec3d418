package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Tensor;

/**
 * Gated GELU without its projection. Shazeer 2020, arXiv:2002.05202.
 * <pre>
 *   x = [a, g] [..., 2 C]     y = a * gelu(g) [..., C]
 * </pre>
 */
public final class Geglu implements Layer {
  @Override
  public Tensor forward(Tensor x, Tape tape) {
    Tensor y = x.backend().empty(x.shape().withLast(x.dim(-1) / 2));
    x.backend().gegluForward(y, x);
    tape.push(this, x);
    return y;
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    try (Tape.Frame saved = tape.pop(this)) {
      Tensor x = saved.get(0);
      Tensor dx = dy.backend().empty(x.shape());
      dy.backend().gegluBackward(dx, dy, x);
      return dx;
    }
  }
}
