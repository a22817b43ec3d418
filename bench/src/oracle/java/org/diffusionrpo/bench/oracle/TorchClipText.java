package org.diffusionrpo.bench.oracle;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * CLIP's text tower as a function of its parameters, on libtorch. Names of the parameters, order of the operations and
 * constants are those of transformers' CLIPTextModel and CLIPTextModelWithProjection.
 */
final class TorchClipText {
  private final ClipTextSettings settings;
  private final TorchLayers layers;

  /**
   * What the tower gives for N texts of T tokens.
   *
   * @param penultimate [N, T, hidden], hidden_states[-2]: the output of the last layer but one
   * @param last [N, T, hidden], last_hidden_state: the output of the last layer, normed
   * @param textEmbeds [N, projection], from the first end of each text; null without projection
   */
  record Outputs(Tensor penultimate, Tensor last, Tensor textEmbeds) {}

  TorchClipText(ClipTextSettings settings, Weights weights) {
    this.settings = settings;
    this.layers = new TorchLayers(weights, 0);
  }

  /** @param ids [N][T] */
  Outputs forward(long[][] ids) {
    Tensor x = Tensors.kept(() -> embed(ids));
    Tensor penultimate = x;
    for (int layer = 0; layer < settings.layers(); layer++) {
      penultimate = x;
      x = layer("text_model.encoder.layers." + layer, x);
    }
    Tensor last = layers.layerNorm("text_model.final_layer_norm", x);
    Tensor embeds = settings.hasProjection()
        ? layers.linear("text_projection", ends(last, ids), settings.projection(), false)
        : null;
    return new Outputs(penultimate, last, embeds);
  }

  private Tensor embed(long[][] ids) {
    int length = ids[0].length;
    long[] flat = Arrays.stream(ids).flatMapToLong(Arrays::stream).toArray();
    long[] positions = new long[length];
    Arrays.setAll(positions, i -> i);
    Tensor tokens = layers.embedding("text_model.embeddings.token_embedding", Tensor.create(flat, ids.length, length),
        settings.vocabulary(), settings.hidden());
    return tokens.add(layers.embedding("text_model.embeddings.position_embedding", Tensor.create(positions, length),
        settings.positions(), settings.hidden()));
  }

  private Tensor layer(String name, Tensor x) {
    return Tensors.kept(() -> {
      Tensor h = x.add(attention(name + ".self_attn", layers.layerNorm(name + ".layer_norm1", x)));
      Tensor wide = layers.linear(name + ".mlp.fc1", layers.layerNorm(name + ".layer_norm2", h),
          settings.intermediate(), true);
      Tensor active = settings.quickGelu() ? Tensors.quickGelu(wide) : torch.gelu(wide);
      return h.add(layers.linear(name + ".mlp.fc2", active, settings.hidden(), true));
    });
  }

  private Tensor attention(String name, Tensor x) {
    Tensor q = layers.linear(name + ".q_proj", x, settings.hidden(), true);
    Tensor k = layers.linear(name + ".k_proj", x, settings.hidden(), true);
    Tensor v = layers.linear(name + ".v_proj", x, settings.hidden(), true);
    return layers.linear(
        name + ".out_proj", Tensors.attention(q, k, v, settings.heads(), true), settings.hidden(), true);
  }

  /** The rows of the first end-of-text token, [N, hidden]. */
  private Tensor ends(Tensor last, long[][] ids) {
    long length = ids[0].length;
    long[] rows = new long[ids.length];
    for (int n = 0; n < rows.length; n++) {
      int at = 0;
      while (ids[n][at] != settings.vocabulary() - 1) {
        at++;
      }
      rows[n] = n * length + at;
    }
    return last.reshape(rows.length * length, settings.hidden()).index_select(0, Tensor.create(rows, rows.length));
  }
}
