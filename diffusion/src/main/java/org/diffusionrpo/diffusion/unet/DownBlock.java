package org.diffusionrpo.diffusion.unet;

import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.diffusionrpo.diffusion.block.Downsample2D;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.ConditionedLayer;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * One level of the way down: {@code layers} times a residual block and, in a CrossAttnDownBlock2D, a transformer; then
 * a downsampler except on the last level. Every layer's output is also a skip connection.
 */
final class DownBlock {
  private final List<ConditionedLayer> resnets = new ArrayList<>();
  private final List<ConditionedLayer> attentions = new ArrayList<>();
  private final Downsample2D downsampler;

  DownBlock(LevelBuilder level, int in, int layers, boolean last) {
    for (int j = 0; j < layers; j++) {
      resnets.add(level.resnet(j, j == 0 ? in : level.channels()));
      if (level.hasAttention()) {
        attentions.add(level.attention(j));
      }
    }
    this.downsampler = last ? null : Downsample2D.padded(level.path().at("downsamplers", 0), level.channels());
  }

  /** Pushes every output on {@code skips}; the last of them is the result. */
  Tensor forward(Tensor x, Tensor time, Tensor context, Deque<Tensor> skips, Tape tape) {
    Tensor h = x;
    for (int j = 0; j < resnets.size(); j++) {
      h = resnets.get(j).forward(h, time, tape);
      if (!attentions.isEmpty()) {
        Tensor inner = h;
        h = attentions.get(j).forward(inner, context, tape);
        inner.close();
      }
      skips.push(h);
    }
    if (downsampler != null) {
      h = downsampler.forward(h, tape);
      skips.push(h);
    }
    return h;
  }

  /** Takes each skip's gradient from {@code dSkips}, in the reverse order of forward, and consumes dy. */
  Tensor backward(Tensor dy, Tensor dTime, Tensor dContext, Deque<Tensor> dSkips, Tape tape) {
    Tensor dh = dy;
    if (downsampler != null) {
      dh = UNetGradients.consume(addSkip(dh, dSkips), d -> downsampler.backward(d, tape));
    }
    for (int j = resnets.size() - 1; j >= 0; j--) {
      dh = addSkip(dh, dSkips);
      if (!attentions.isEmpty()) {
        ConditionedLayer attention = attentions.get(j);
        dh = UNetGradients.consume(dh, d -> attention.backward(d, dContext, tape));
      }
      ConditionedLayer resnet = resnets.get(j);
      dh = UNetGradients.consume(dh, d -> resnet.backward(d, dTime, tape));
    }
    return dh;
  }

  private static Tensor addSkip(Tensor dh, Deque<Tensor> dSkips) {
    try (Tensor dSkip = dSkips.pop()) {
      dh.backend().addTo(dh, dSkip);
    }
    return dh;
  }
}
