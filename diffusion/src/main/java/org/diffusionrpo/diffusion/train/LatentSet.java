package org.diffusionrpo.diffusion.train;

import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.clip.PromptEncoder;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.tensor.Shape;

/**
 * Images and captions as the UNet needs them, encoded once and kept in memory: the autoencoder's moments and the
 * embeddings of the captions.
 *
 * @param timeIds of all items, which have one size
 * @param moments of each item [h, w, 2 Z], flat
 * @param texts of each item; items with one caption share one embedding
 * @param emptyText of the empty prompt
 */
public record LatentSet(Shape latentShape, Shape contextShape, TimeIds timeIds, List<float[]> moments,
    List<TextEmbedding> texts, TextEmbedding emptyText) {
  public LatentSet {
    if (moments.size() != texts.size() || moments.isEmpty()) {
      throw new IllegalArgumentException(moments.size() + " latents for " + texts.size() + " captions");
    }
  }

  /** Encodes pictures of one size with one caption each. */
  public static LatentSet encode(LatentEncoder latents, PromptEncoder prompts, List<RgbImage> images,
      List<String> captions) {
    Map<String, TextEmbedding> texts = prompts.encode(captions);
    int height = images.get(0).height();
    int width = images.get(0).width();
    return new LatentSet(latents.latentShape(height, width), prompts.contextShape(), TimeIds.of(height, width),
        latents.moments(images), captions.stream().map(texts::get).toList(), prompts.encode(""));
  }

  public int size() {
    return moments.size();
  }

  public float[] moments(int item) {
    return moments.get(item);
  }

  public TextEmbedding text(int item) {
    return texts.get(item);
  }
}
