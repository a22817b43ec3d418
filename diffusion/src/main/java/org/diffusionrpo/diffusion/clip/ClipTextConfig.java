package org.diffusionrpo.diffusion.clip;

import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.tensor.Activation;

/** The text tower's config.json. */
public record ClipTextConfig(ClipTowerConfig tower, int vocabSize, int maxPositions, int projectionDim) {
  public static ClipTextConfig from(ModelConfig config) {
    ClipTowerConfig defaults = new ClipTowerConfig(512, 2048, 12, 8, Activation.QUICK_GELU, 1e-5f);
    return new ClipTextConfig(ClipTowerConfig.from(config, defaults),
        config.integer("vocab_size", 49408),
        config.integer("max_position_embeddings", 77),
        config.integer("projection_dim", 512));
  }

  /**
   * The token at whose position a sequence is pooled. It is always the last of the vocabulary; old configs carry a
   * wrong eos_token_id, which transformers ignores too.
   */
  public int eosToken() {
    return vocabSize - 1;
  }
}
