package org.diffusionrpo.rpo.eval;

import java.io.IOException;
import java.util.List;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImages;

/**
 * How far pictures have taken on a style, measured against real pictures of that style that no training has seen.
 * <ul>
 *   <li>Fréchet distance of the CLIP image embeddings along their leading principal axes, so that both covariances
 *       have full rank; lower is nearer to the style.
 *   <li>Share of pictures that a classifier without CLIP gives to the style.
 *   <li>CLIP score: mean cosine of each picture with its prompt, times 100; it falls when the content is lost.
 * </ul>
 */
public final class StyleAlignment {
  /** So few pictures still give a Fréchet distance, in one dimension. */
  public static final int FEWEST_IMAGES = 4;

  private final ClipEmbedder clip;
  private final StyleClassifier classifier;
  private final String style;
  private final PrincipalAxes axes;
  private final Gaussian target;

  /**
   * What was measured.
   *
   * @param images number of pictures
   * @param dimensions of the Fréchet distance
   */
  public record Score(double frechet, double styleShare, double clipScore, int images, int dimensions) {}

  /**
   * @param real held-out pictures of the preferred style
   * @param background held-out pictures of all styles; the axes are theirs, so that no model's pictures choose them
   * @param images pictures that will be scored at a time, at least {@link #FEWEST_IMAGES}
   */
  public StyleAlignment(ClipEmbedder clip, StyleClassifier classifier, String style, List<RgbImage> real,
      List<RgbImage> background, int images) {
    this.clip = clip;
    this.classifier = classifier;
    this.style = style;
    double[][] features = rows(clip.images(background));
    int dimensions = Math.min(features[0].length, Math.min(real.size(), images) / 2 - 1);
    this.axes = PrincipalAxes.fit(features, dimensions);
    this.target = Gaussian.fit(axes.project(rows(clip.images(real))));
  }

  /** Measures against the bundled pictures of one split. */
  public static StyleAlignment heldOut(ClipEmbedder clip, StyleClassifier classifier, StyledImages styled, Split split,
      String style, int images) throws IOException {
    List<StyleClassifier.Example> all = StyleClassifier.examples(styled, split);
    return new StyleAlignment(clip, classifier, style,
        all.stream().filter(example -> example.style().equals(style)).map(StyleClassifier.Example::image).toList(),
        all.stream().map(StyleClassifier.Example::image).toList(), images);
  }

  /** Scores pictures; {@code prompts} holds the prompt of each. At least twice as many as dimensions are needed. */
  public Score score(List<RgbImage> images, List<String> prompts) {
    int dimensions = axes.axes().length;
    if (images.size() < 2 * dimensions) {
      throw new IllegalArgumentException(images.size() + " pictures are too few for a Fréchet distance in " + dimensions
          + " dimensions: at least " + 2 * dimensions + " are needed");
    }
    List<double[]> embeddings = clip.images(images);
    List<double[]> texts = clip.texts(prompts);
    double cosines = 0;
    for (int i = 0; i < images.size(); i++) {
      for (int k = 0; k < texts.get(i).length; k++) {
        cosines += embeddings.get(i)[k] * texts.get(i)[k];
      }
    }
    double frechet = FrechetDistance.between(Gaussian.fit(axes.project(rows(embeddings))), target);
    return new Score(frechet, classifier.share(images, style), 100 * cosines / images.size(), images.size(), dimensions);
  }

  private static double[][] rows(List<double[]> rows) {
    return rows.toArray(double[][]::new);
  }
}
