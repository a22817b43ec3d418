package org.diffusionrpo.diffusion.vae;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.GroupNorm;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Linear;
import org.diffusionrpo.tensor.nn.MultiHeadAttention;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Self-attention of the pixels with one head as wide as the channels.
 * <pre>
 *   x, y [N, H, W, C]     y = x + to_out(attention(group_norm(x)))
 * </pre>
 */
final class VaeAttention implements Layer {
  private final GroupNorm norm;
  private final MultiHeadAttention attention;

  VaeAttention(Parameters.Path path, int channels, int groups) {
    this.norm = new GroupNorm(path.at("group_norm"), groups, channels, AutoencoderKL.EPS);
    this.attention = new MultiHeadAttention(
        new Linear(path.at("to_q"), channels, channels, true),
        new Linear(path.at("to_k"), channels, channels, true),
        new Linear(path.at("to_v"), channels, channels, true),
        new Linear(path.at("to_out", 0), channels, channels, true), 1, false);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor h = norm.forward(x, tape).reshape(x.dim(0), x.dim(1) * x.dim(2), x.dim(3));
      h = attention.forward(h, tape).reshape(x.shape().toArray());
      backend.addTo(h, x);
      return scope.keep(h);
    }
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    Backend backend = dy.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor dh = attention.backward(dy.reshape(dy.dim(0), dy.dim(1) * dy.dim(2), dy.dim(3)), tape);
      Tensor dx = norm.backward(dh.reshape(dy.shape().toArray()), tape);
      backend.addTo(dx, dy);
      return scope.keep(dx);
    }
  }
}
