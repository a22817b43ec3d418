package org.diffusionrpo.diffusion.unet;

import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * What the UNet is told about the samples of a batch beside their timesteps.
 *
 * @param context [N, L, X]
 * @param added SDXL's conditions; null for a model without them
 */
public record Conditions(Tensor context, AddedConditions added) {
  /**
   * Puts a batch together.
   *
   * @param contextShape [L, X]
   * @param texts of each sample; all with a pooled embedding or none
   * @param timeIds of each sample; not read when the texts have no pooled embedding
   */
  public static Conditions of(Backend backend, Shape contextShape, List<TextEmbedding> texts, List<TimeIds> timeIds) {
    int samples = texts.size();
    float[] contexts = new float[samples * contextShape.size()];
    for (int n = 0; n < samples; n++) {
      System.arraycopy(texts.get(n).context(), 0, contexts, n * contextShape.size(), contextShape.size());
    }
    Tensor context = backend.of(Shape.of(samples, contextShape.dim(0), contextShape.dim(1)), contexts);
    return new Conditions(context, texts.get(0).pooled() == null ? null : added(backend, texts, timeIds));
  }

  private static AddedConditions added(Backend backend, List<TextEmbedding> texts, List<TimeIds> timeIds) {
    int size = texts.get(0).pooled().length;
    float[] pooled = new float[texts.size() * size];
    for (int n = 0; n < texts.size(); n++) {
      System.arraycopy(texts.get(n).pooled(), 0, pooled, n * size, size);
    }
    return new AddedConditions(backend.of(Shape.of(texts.size(), size), pooled),
        timeIds.stream().map(TimeIds::toArray).toArray(float[][]::new));
  }
}
