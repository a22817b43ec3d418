package org.diffusionrpo.diffusion.block;

import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/** A {@link ResnetBlock2D} without a time embedding, as a plain layer for the VAE. */
public final class ResnetLayer implements Layer {
  private final ResnetBlock2D block;

  public ResnetLayer(Parameters.Path path, int in, int out, int groups, float eps) {
    this.block = new ResnetBlock2D(path, in, out, 0, groups, eps);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    return block.forward(x, null, tape);
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    return block.backward(dy, null, tape);
  }
}
