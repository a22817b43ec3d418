package org.diffusionrpo.diffusion.clip;

import org.diffusionrpo.tensor.nn.Parameters;

/** The text tower on its own, without projection: Stable Diffusion's text_encoder, CLIPTextModel in transformers. */
public final class ClipTextEncoder implements AutoCloseable {
  private final Parameters parameters = new Parameters();
  private final ClipTextModel model;

  public ClipTextEncoder(ClipTextConfig config) {
    this.model = new ClipTextModel(parameters.root(), config, false);
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
