package org.diffusionrpo.diffusion.unet;

import java.util.function.UnaryOperator;
import org.diffusionrpo.tensor.Tensor;

/** Releases a gradient as soon as it has been passed on. */
final class UNetGradients {
  private UNetGradients() {}

  static Tensor consume(Tensor dy, UnaryOperator<Tensor> backward) {
    Tensor dx = backward.apply(dy);
    dy.close();
    return dx;
  }
}
