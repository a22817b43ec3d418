package org.diffusionrpo.bench.oracle;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The shape of a CLIP text tower. The last token of the vocabulary ends a text.
 *
 * @param quickGelu the activation is quick_gelu, else gelu
 * @param projection width of the text embeds; 0 for a tower without projection
 */
record ClipTextSettings(int hidden, int intermediate, int layers, int heads, boolean quickGelu, int vocabulary,
    int positions, int projection) {
  /** Of Stable Diffusion 1.x, and the first one of XL. */
  static final ClipTextSettings CLIP_L = new ClipTextSettings(768, 3072, 12, 12, true, 49_408, 77, 0);
  /** The second one of Stable Diffusion XL. */
  static final ClipTextSettings OPEN_CLIP_BIG_G = new ClipTextSettings(1280, 5120, 32, 20, false, 49_408, 77, 1280);

  boolean hasProjection() {
    return projection > 0;
  }

  /** The content of config.json as transformers writes it. */
  Map<String, Object> config() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architectures", new String[] {hasProjection() ? "CLIPTextModelWithProjection" : "CLIPTextModel"});
    config.put("attention_dropout", 0.0);
    config.put("hidden_act", quickGelu ? "quick_gelu" : "gelu");
    config.put("hidden_size", hidden);
    config.put("intermediate_size", intermediate);
    config.put("layer_norm_eps", 1e-5);
    config.put("max_position_embeddings", positions);
    config.put("model_type", "clip_text_model");
    config.put("num_attention_heads", heads);
    config.put("num_hidden_layers", layers);
    config.put("projection_dim", hasProjection() ? projection : hidden);
    config.put("vocab_size", vocabulary);
    return config;
  }
}
