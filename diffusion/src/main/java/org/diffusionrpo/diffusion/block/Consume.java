package org.diffusionrpo.diffusion.block;

import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Tape;

/** Runs a layer and gives its input up at once, when the caller has no more use for it: lowers the memory peak. */
public final class Consume {
  private Consume() {}

  public static Tensor forward(Layer layer, Tensor x, Tape tape) {
    Tensor y = layer.forward(x, tape);
    x.close();
    return y;
  }

  public static Tensor backward(Layer layer, Tensor dy, Tape tape) {
    Tensor dx = layer.backward(dy, tape);
    dy.close();
    return dx;
  }
}
