package org.diffusionrpo.diffusion.clip;

import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.tensor.Activation;

/** What text and vision towers have in common; keys as in transformers' CLIP configs. */
public record ClipTowerConfig(int hiddenSize, int intermediateSize, int layers, int heads, Activation activation,
    float layerNormEps) {
  static ClipTowerConfig from(ModelConfig config, ClipTowerConfig defaults) {
    return new ClipTowerConfig(
        config.integer("hidden_size", defaults.hiddenSize),
        config.integer("intermediate_size", defaults.intermediateSize),
        config.integer("num_hidden_layers", defaults.layers),
        config.integer("num_attention_heads", defaults.heads),
        Activation.fromConfig(config.text("hidden_act", "quick_gelu")),
        config.number("layer_norm_eps", 1e-5f));
  }
}
