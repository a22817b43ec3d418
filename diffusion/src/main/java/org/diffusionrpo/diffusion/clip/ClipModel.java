package org.diffusionrpo.diffusion.clip;

import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/** Both towers and the temperature: CLIPModel in transformers. */
public final class ClipModel implements AutoCloseable {
  /** ln(1 / 0.07), the start in CLIP's paper. */
  private static final float INITIAL_LOGIT_SCALE = 2.6592f;

  private final Parameters parameters = new Parameters();
  private final ClipTextModel text;
  private final ClipVisionModel vision;
  private final Parameter logitScale;

  public ClipModel(ClipTextConfig textConfig, ClipVisionConfig visionConfig) {
    if (textConfig.projectionDim() != visionConfig.projectionDim()) {
      throw new IllegalArgumentException("CLIP: text and vision project to " + textConfig.projectionDim() + " and "
          + visionConfig.projectionDim() + " numbers; they must be equal");
    }
    Parameters.Path root = parameters.root();
    this.logitScale = root.create("logit_scale", Shape.of(),
        (values, random) -> values[0] = INITIAL_LOGIT_SCALE);
    this.text = new ClipTextModel(root, textConfig, true);
    this.vision = new ClipVisionModel(root, visionConfig);
  }

  public ClipTextModel text() {
    return text;
  }

  public ClipVisionModel vision() {
    return vision;
  }

  /** The logarithm of the factor on cosines. */
  public Parameter logitScale() {
    return logitScale;
  }

  public Parameters parameters() {
    return parameters;
  }

  @Override
  public void close() {
    parameters.close();
  }
}
