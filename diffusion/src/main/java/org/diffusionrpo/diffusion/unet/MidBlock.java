package org.diffusionrpo.diffusion.unet;

import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.ConditionedLayer;
import org.diffusionrpo.tensor.nn.Tape;

/** The bottom of the U: residual block, transformer, residual block. UNetMidBlock2DCrossAttn in diffusers. */
final class MidBlock {
  private final ConditionedLayer resnet0;
  private final ConditionedLayer attention;
  private final ConditionedLayer resnet1;

  MidBlock(LevelBuilder level) {
    this.resnet0 = level.resnet(0, level.channels());
    this.attention = level.attention(0);
    this.resnet1 = level.resnet(1, level.channels());
  }

  Tensor forward(Tensor x, Tensor time, Tensor context, Tape tape) {
    try (Tensor a = resnet0.forward(x, time, tape); Tensor b = attention.forward(a, context, tape)) {
      return resnet1.forward(b, time, tape);
    }
  }

  /** Consumes dy. */
  Tensor backward(Tensor dy, Tensor dTime, Tensor dContext, Tape tape) {
    Tensor dh = UNetGradients.consume(dy, d -> resnet1.backward(d, dTime, tape));
    dh = UNetGradients.consume(dh, d -> attention.backward(d, dContext, tape));
    return UNetGradients.consume(dh, d -> resnet0.backward(d, dTime, tape));
  }
}
