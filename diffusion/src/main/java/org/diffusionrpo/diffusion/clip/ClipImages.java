package org.diffusionrpo.diffusion.clip;

import java.util.List;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/** Pictures of the right size as CLIP's vision tower sees them: (v / 255 - mean) / std per channel. */
public final class ClipImages {
  /** OpenAI's statistics, R, G, B; every CLIP model uses them. */
  private static final float[] MEAN = {0.48145466f, 0.4578275f, 0.40821073f};
  private static final float[] STD = {0.26862954f, 0.26130258f, 0.27577711f};

  private ClipImages() {}

  /** Square pictures of equal size as one tensor [N, S, S, 3]. */
  public static Tensor toTensor(Backend backend, List<RgbImage> images) {
    int side = images.get(0).width();
    int size = 3 * side * side;
    float[] values = new float[images.size() * size];
    for (int n = 0; n < images.size(); n++) {
      RgbImage image = images.get(n);
      if (image.width() != side || image.height() != side) {
        throw new IllegalArgumentException("CLIP needs square pictures of one size; got " + image.width() + " x "
            + image.height() + " beside " + side + " x " + side);
      }
      for (int i = 0; i < size; i++) {
        values[n * size + i] = ((image.rgb()[i] & 0xFF) / 255f - MEAN[i % 3]) / STD[i % 3];
      }
    }
    return backend.of(Shape.of(images.size(), side, side, 3), values);
  }
}
