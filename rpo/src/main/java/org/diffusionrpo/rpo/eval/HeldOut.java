package org.diffusionrpo.rpo.eval;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImages;

/** The concepts of one split as an exam: prompts to draw, and the measures of the pictures. No other split is kept. */
public final class HeldOut {
  private final StyledImages styled;
  private final List<String> prompts;
  private final StyleAlignment alignment;
  private final double classifierAccuracy;

  /**
   * @param data the styled images
   * @param images pictures of each model and seed; prompts repeat when there are fewer
   */
  public HeldOut(Path data, Split split, String style, int images, ClipEmbedder clip, StyleClassifier classifier)
      throws IOException {
    if (images < StyleAlignment.FEWEST_IMAGES) {
      throw new IllegalArgumentException(images + " pictures: expected at least " + StyleAlignment.FEWEST_IMAGES);
    }
    this.styled = StyledImages.load(data, Set.of(split));
    if (!styled.styles().contains(style)) {
      throw new IllegalArgumentException("style '" + style + "': expected one of " + String.join(", ", styled.styles()));
    }
    this.prompts = Drawing.repeat(Drawing.captions(styled, split), images);
    this.alignment = StyleAlignment.heldOut(clip, classifier, styled, split, style, images);
    this.classifierAccuracy = classifier.evaluate(StyleClassifier.examples(styled, split)).accuracy();
  }

  public StyledImages styled() {
    return styled;
  }

  /** One prompt for each picture. */
  public List<String> prompts() {
    return prompts;
  }

  /** Scores one picture for each prompt. */
  public StyleAlignment.Score score(List<RgbImage> images) {
    return alignment.score(images, prompts);
  }

  /** Share of the split's real pictures whose style the classifier names. */
  public double classifierAccuracy() {
    return classifierAccuracy;
  }
}
