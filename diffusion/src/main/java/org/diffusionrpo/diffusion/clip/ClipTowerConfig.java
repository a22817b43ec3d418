package org.diffusionrpo.diffusion.clip;

import java.util.Set;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.tensor.Activation;

/** What text and vision towers have in common; keys as in transformers' CLIP configs. */
public record ClipTowerConfig(int hiddenSize, int intermediateSize, int layers, int heads, Activation activation,
    float layerNormEps) {
  private static final Set<String> ZERO = Set.of("0", "0.0");

  static ClipTowerConfig from(ModelConfig config, ClipTowerConfig defaults) {
    config.onlySupports("dropout", ZERO);
    config.onlySupports("attention_dropout", ZERO);
    return new ClipTowerConfig(
        config.integer("hidden_size", defaults.hiddenSize),
        config.integer("intermediate_size", defaults.intermediateSize),
        config.integer("num_hidden_layers", defaults.layers),
        config.integer("num_attention_heads", defaults.heads),
        Activation.fromConfig(config.text("hidden_act", "quick_gelu")),
        config.number("layer_norm_eps", 1e-5f));
  }
}
