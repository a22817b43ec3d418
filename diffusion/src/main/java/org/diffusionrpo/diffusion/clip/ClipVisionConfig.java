package org.diffusionrpo.diffusion.clip;

import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.tensor.Activation;

/** The vision tower's config.json. */
public record ClipVisionConfig(ClipTowerConfig tower, int imageSize, int patchSize, int projectionDim) {
  public static ClipVisionConfig from(ModelConfig config) {
    ClipTowerConfig defaults = new ClipTowerConfig(768, 3072, 12, 12, Activation.QUICK_GELU, 1e-5f);
    return new ClipVisionConfig(ClipTowerConfig.from(config, defaults),
        config.integer("image_size", 224),
        config.integer("patch_size", 32),
        config.integer("projection_dim", 512));
  }

  /** Patches along one side. */
  public int grid() {
    return imageSize / patchSize;
  }
}
