package org.diffusionrpo.diffusion.clip;

import org.diffusionrpo.tensor.nn.Parameters;

/**
 * A text tower on its own: Stable Diffusion's text_encoder, CLIPTextModel in transformers, or with its projection
 * SDXL's text_encoder_2, CLIPTextModelWithProjection.
 */
public final class ClipTextEncoder implements AutoCloseable {
  private final Parameters parameters = new Parameters();
  private final ClipTextModel model;

  /** Without projection. */
  public ClipTextEncoder(ClipTextConfig config) {
    this(config, false);
  }

  public ClipTextEncoder(ClipTextConfig config, boolean withProjection) {
    this.model = new ClipTextModel(parameters.root(), config, withProjection);
  }

  public ClipTextModel model() {
    return model;
  }

  public Parameters parameters() {
    return parameters;
  }

  @Override
  public void close() {
    parameters.close();
  }
}
