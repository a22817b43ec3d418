package org.diffusionrpo.diffusion.train;

import java.util.List;
import org.diffusionrpo.tensor.Shape;

/**
 * Images and captions as the UNet needs them, encoded once and kept in memory: the autoencoder's moments and the text
 * tower's last hidden state.
 *
 * @param moments of each item [h, w, 2 Z], flat
 * @param contexts of each item [L, X], flat; items with one caption share one array
 * @param emptyContext of the empty prompt
 */
public record LatentSet(Shape latentShape, Shape contextShape, List<float[]> moments, List<float[]> contexts,
    float[] emptyContext) {
  public LatentSet {
    if (moments.size() != contexts.size() || moments.isEmpty()) {
      throw new IllegalArgumentException(moments.size() + " latents for " + contexts.size() + " captions");
    }
  }

  public int size() {
    return moments.size();
  }

  public float[] moments(int item) {
    return moments.get(item);
  }

  public float[] context(int item) {
    return contexts.get(item);
  }
}
