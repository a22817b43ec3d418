package org.diffusionrpo.diffusion.vae;

import org.diffusionrpo.diffusion.block.ResnetLayer;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/** Residual block, one-head self-attention, residual block; {@code mid_block} of encoder and decoder. */
final class VaeMidBlock implements Layer {
  private final ResnetLayer resnet0;
  private final VaeAttention attention;
  private final ResnetLayer resnet1;

  VaeMidBlock(Parameters.Path path, int channels, int groups) {
    this.resnet0 = new ResnetLayer(path.at("resnets", 0), channels, channels, groups, AutoencoderKL.EPS);
    this.attention = new VaeAttention(path.at("attentions", 0), channels, groups);
    this.resnet1 = new ResnetLayer(path.at("resnets", 1), channels, channels, groups, AutoencoderKL.EPS);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    try (Tensor a = resnet0.forward(x, tape); Tensor b = attention.forward(a, tape)) {
      return resnet1.forward(b, tape);
    }
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    try (Tensor db = resnet1.backward(dy, tape); Tensor da = attention.backward(db, tape)) {
      return resnet0.backward(da, tape);
    }
  }
}
