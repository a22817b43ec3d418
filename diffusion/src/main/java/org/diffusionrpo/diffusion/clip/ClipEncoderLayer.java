package org.diffusionrpo.diffusion.clip;

import org.diffusionrpo.diffusion.block.Consume;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.LayerNorm;
import org.diffusionrpo.tensor.nn.Linear;
import org.diffusionrpo.tensor.nn.MultiHeadAttention;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Pointwise;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Pre-norm transformer layer of both towers; names as in transformers.
 * <pre>
 *   x, y [N, T, C]
 *   a = x + self_attn(layer_norm1(x));   y = a + fc2(act(fc1(layer_norm2(a))))
 * </pre>
 */
final class ClipEncoderLayer implements Layer {
  private final LayerNorm norm1;
  private final MultiHeadAttention attention;
  private final LayerNorm norm2;
  private final Linear fc1;
  private final Layer act;
  private final Linear fc2;

  ClipEncoderLayer(Parameters.Path path, ClipTowerConfig config, boolean causal) {
    int channels = config.hiddenSize();
    Parameters.Path attn = path.at("self_attn");
    this.norm1 = new LayerNorm(path.at("layer_norm1"), channels, config.layerNormEps());
    this.attention = new MultiHeadAttention(
        new Linear(attn.at("q_proj"), channels, channels, true),
        new Linear(attn.at("k_proj"), channels, channels, true),
        new Linear(attn.at("v_proj"), channels, channels, true),
        new Linear(attn.at("out_proj"), channels, channels, true), config.heads(), causal);
    this.norm2 = new LayerNorm(path.at("layer_norm2"), channels, config.layerNormEps());
    this.fc1 = new Linear(path.at("mlp").at("fc1"), channels, config.intermediateSize(), true);
    this.act = new Pointwise(config.activation());
    this.fc2 = new Linear(path.at("mlp").at("fc2"), config.intermediateSize(), channels, true);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor a = attention.forward(norm1.forward(x, tape), tape);
      backend.addTo(a, x);
      Tensor h = norm2.forward(a, tape);
      h = Consume.forward(fc1, h, tape);
      h = Consume.forward(act, h, tape);
      h = Consume.forward(fc2, h, tape);
      backend.addTo(h, a);
      return scope.keep(h);
    }
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    Backend backend = dy.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor da = fc2.backward(dy, tape);
      da = Consume.backward(act, da, tape);
      da = Consume.backward(fc1, da, tape);
      da = Consume.backward(norm2, da, tape);
      backend.addTo(da, dy);
      Tensor dx = norm1.backward(attention.backward(da, tape), tape);
      backend.addTo(dx, da);
      return scope.keep(dx);
    }
  }
}
