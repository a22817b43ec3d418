package org.diffusionrpo.rpo.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.diffusionrpo.diffusion.image.RgbImage;

/**
 * Names the style of a picture. It judges aligned models and therefore shares nothing with CLIP, which guides their
 * training: hand-made features of pixels and a logistic regression, trained on real pictures. Training and answers are
 * deterministic.
 */
public final class StyleClassifier {
  /** Small against the sharp optimum of separable styles, large enough that rare colours do not decide. */
  private static final double RIDGE = 1e-3;

  private final List<String> styles;
  private final SoftmaxRegression regression;

  /** A picture and the style that it is known to have. */
  public record Example(RgbImage image, String style) {}

  /**
   * How the classifier does on known pictures.
   *
   * @param accuracy share of examples whose style it names
   * @param confusion [style][answer] counts, in the order of {@link #styles()}
   */
  public record Evaluation(double accuracy, int[][] confusion) {}

  private StyleClassifier(List<String> styles, SoftmaxRegression regression) {
    this.styles = styles;
    this.regression = regression;
  }

  /**
   * Learns the styles of {@code examples}, at least two. Each picture is also shown softened, as a VAE decoder would
   * return it, so that a generated picture is judged by its style and not by its sharpness.
   */
  public static StyleClassifier train(List<Example> examples) {
    List<String> styles = List.copyOf(new TreeSet<>(examples.stream().map(Example::style).toList()));
    if (styles.size() < 2) {
      throw new IllegalArgumentException("a style classifier needs examples of at least two styles, got " + styles);
    }
    List<Example> shown = new ArrayList<>(examples);
    examples.forEach(example -> shown.add(new Example(Softening.apply(example.image()), example.style())));
    int[] labels = shown.stream().mapToInt(example -> styles.indexOf(example.style())).toArray();
    return new StyleClassifier(styles, SoftmaxRegression.fit(features(shown), labels, styles.size(), RIDGE));
  }

  /** The known styles in alphabetical order. */
  public List<String> styles() {
    return styles;
  }

  /** Probability of each style, in the order of {@link #styles()}. */
  public double[] probabilities(RgbImage image) {
    return regression.probabilities(StyleFeatures.of(image));
  }

  /** The likeliest style. */
  public String classify(RgbImage image) {
    return styles.get(likeliest(probabilities(image)));
  }

  /** Share of {@code images} that look like {@code style}: the style alignment of a model that drew them. */
  public double share(List<RgbImage> images, String style) {
    if (!styles.contains(style) || images.isEmpty()) {
      throw new IllegalArgumentException("share of style '" + style + "' in " + images.size()
          + " images; known styles: " + styles);
    }
    return (double) images.parallelStream().filter(image -> classify(image).equals(style)).count() / images.size();
  }

  /** Accuracy and confusion on known pictures, which should be other ones than those it was trained on. */
  public Evaluation evaluate(List<Example> examples) {
    int[] answers = examples.parallelStream().mapToInt(example -> likeliest(probabilities(example.image()))).toArray();
    int[][] confusion = new int[styles.size()][styles.size()];
    int right = 0;
    for (int i = 0; i < answers.length; i++) {
      int style = styles.indexOf(examples.get(i).style());
      if (style < 0) {
        throw new IllegalArgumentException("unknown style '" + examples.get(i).style() + "'; known: " + styles);
      }
      confusion[style][answers[i]]++;
      right += style == answers[i] ? 1 : 0;
    }
    return new Evaluation((double) right / answers.length, confusion);
  }

  private static int likeliest(double[] probabilities) {
    return IntStream.range(0, probabilities.length)
        .reduce((a, b) -> probabilities[b] > probabilities[a] ? b : a).orElseThrow();
  }

  private static double[][] features(List<Example> examples) {
    return examples.parallelStream().map(example -> StyleFeatures.of(example.image())).toArray(double[][]::new);
  }
}
