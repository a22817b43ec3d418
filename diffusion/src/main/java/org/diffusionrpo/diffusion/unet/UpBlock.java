package org.diffusionrpo.diffusion.unet;

import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.diffusionrpo.diffusion.block.Upsample2D;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.ConditionedLayer;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * One level of the way up: each residual block sees the channels of the newest skip connection behind its own; then,
 * in a CrossAttnUpBlock2D, a transformer; at the end an upsampler except on the last level.
 */
final class UpBlock {
  private final List<ConditionedLayer> resnets = new ArrayList<>();
  private final List<ConditionedLayer> attentions = new ArrayList<>();
  private final int[] hiddenChannels;
  private final Upsample2D upsampler;

  /**
   * @param in channels that arrive from the level below
   * @param skips channels of the skip connections in the order they are used
   */
  UpBlock(LevelBuilder level, int in, int[] skips, boolean last) {
    this.hiddenChannels = new int[skips.length];
    for (int j = 0; j < skips.length; j++) {
      hiddenChannels[j] = j == 0 ? in : level.channels();
      resnets.add(level.resnet(j, hiddenChannels[j] + skips[j]));
      if (level.hasAttention()) {
        attentions.add(level.attention(j));
      }
    }
    this.upsampler = last ? null : new Upsample2D(level.path().at("upsamplers", 0), level.channels());
  }

  /** Consumes x and pops its skips; the upsampler grows to the size of the skip that is then newest. */
  Tensor forward(Tensor x, Tensor time, Tensor context, Deque<Tensor> skips, Tape tape) {
    Tensor h = x;
    for (int j = 0; j < resnets.size(); j++) {
      try (Tensor hidden = h; Tensor skip = skips.pop(); Tensor joined = join(hidden, skip)) {
        h = resnets.get(j).forward(joined, time, tape);
      }
      if (!attentions.isEmpty()) {
        try (Tensor inner = h) {
          h = attentions.get(j).forward(inner, context, tape);
        }
      }
    }
    if (upsampler == null) {
      return h;
    }
    try (Tensor small = h) {
      return upsampler.forward(small, skips.peek().dim(1), skips.peek().dim(2), tape);
    }
  }

  /** Pushes each skip's gradient on {@code dSkips} and consumes dy. */
  Tensor backward(Tensor dy, Tensor dTime, Tensor dContext, Deque<Tensor> dSkips, Tape tape) {
    Tensor dh = upsampler == null ? dy : UNetGradients.consume(dy, d -> upsampler.backward(d, tape));
    for (int j = resnets.size() - 1; j >= 0; j--) {
      if (!attentions.isEmpty()) {
        ConditionedLayer attention = attentions.get(j);
        dh = UNetGradients.consume(dh, d -> attention.backward(d, dContext, tape));
      }
      ConditionedLayer resnet = resnets.get(j);
      int channels = hiddenChannels[j];
      dh = UNetGradients.consume(dh, d -> resnet.backward(d, dTime, tape));
      dh = UNetGradients.consume(dh, d -> cut(d, channels, dSkips));
    }
    return dh;
  }

  private static Tensor join(Tensor hidden, Tensor skip) {
    Backend backend = hidden.backend();
    Tensor joined = backend.empty(hidden.shape().withLast(hidden.dim(3) + skip.dim(3)));
    backend.concat(joined, hidden, skip, 3);
    return joined;
  }

  private static Tensor cut(Tensor dJoined, int channels, Deque<Tensor> dSkips) {
    Backend backend = dJoined.backend();
    Tensor dHidden = backend.empty(dJoined.shape().withLast(channels));
    Tensor dSkip = backend.empty(dJoined.shape().withLast(dJoined.dim(3) - channels));
    backend.split(dHidden, dSkip, dJoined, 3);
    dSkips.push(dSkip);
    return dHidden;
  }
}
