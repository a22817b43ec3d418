package org.diffusionrpo.rpo.train;

import java.util.List;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.image.RgbImage;

/** The cosine of CLIP's embeddings of picture and caption, as {@code --choice_model clip} of Diffusion-DPO's script. */
public record ClipScorer(ClipEmbedder clip, String checksum) implements Scorer {
  @Override
  public String name() {
    return "clip";
  }

  @Override
  public RgbImage prepare(RgbImage picture) {
    return clip.square(picture);
  }

  @Override
  public double[] score(List<RgbImage> prepared, List<String> captions) {
    List<double[]> images = clip.squares(prepared);
    List<double[]> texts = clip.texts(captions);
    double[] scores = new double[images.size()];
    for (int i = 0; i < scores.length; i++) {
      for (int e = 0; e < images.get(i).length; e++) {
        scores[i] += images.get(i)[e] * texts.get(i)[e];
      }
    }
    return scores;
  }
}
