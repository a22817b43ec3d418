package org.diffusionrpo.rpo.eval;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImage;
import org.diffusionrpo.rpo.data.StyledImages;

/**
 * Names the style of a picture. It judges aligned models and therefore shares nothing with CLIP, which guides their
 * training: hand-made features of pixels and a logistic regression, trained on real pictures. Training and answers are
 * deterministic.
 */
public final class StyleClassifier {
  /** Small against the sharp optimum of separable styles, large enough that rare colours do not decide. */
  private static final double RIDGE = 1e-3;

  /** Standard deviation of the strongest noise shown in training, in steps of 1/255. */
  private static final double MOST_WEAR = 16;

  /** Levels of noise, from none on; a prime, so that no level falls together with a style. */
  private static final int WEAR_STEPS = 7;

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

  /** What a file holds. */
  private record Stored(List<String> styles, double[] mean, double[] scale, double[] weights) {
    Stored {
      if (styles == null || mean == null || scale == null || weights == null) {
        throw new IllegalArgumentException("styles, mean, scale and weights are needed");
      }
    }
  }

  private StyleClassifier(List<String> styles, SoftmaxRegression regression) {
    this.styles = styles;
    this.regression = regression;
  }

  /**
   * Learns the styles of {@code examples}, at least two. Every picture is shown clean and worn, as a generated one
   * would be, so that a generated picture is judged by its style and not by its sharpness or noise.
   */
  public static StyleClassifier train(List<Example> examples) {
    List<String> styles = List.copyOf(new TreeSet<>(examples.stream().map(Example::style).toList()));
    if (styles.size() < 2) {
      throw new IllegalArgumentException("a style classifier needs examples of at least two styles, got " + styles);
    }
    int[] labels = IntStream.range(0, 2 * examples.size())
        .map(i -> styles.indexOf(examples.get(i / 2).style())).toArray();
    double[][] features = IntStream.range(0, labels.length).parallel()
        .mapToObj(i -> StyleFeatures.of(shown(examples.get(i / 2).image(), i))).toArray(double[][]::new);
    return new StyleClassifier(styles, SoftmaxRegression.fit(features, labels, styles.size(), RIDGE));
  }

  /** The pictures of one split of the bundled data. */
  public static List<Example> examples(StyledImages styled, Split split) throws IOException {
    List<Example> examples = new ArrayList<>();
    for (StyledImage image : styled.of(split)) {
      examples.add(new Example(ImageCodec.decode(image.png(), image.concept() + "/" + image.style()), image.style()));
    }
    return examples;
  }

  /** Even views are clean, odd ones worn, each a little more than the last until it starts again. */
  private static RgbImage shown(RgbImage image, int view) {
    return view % 2 == 0 ? image : Wear.roughen(image, MOST_WEAR * (view / 2 % WEAR_STEPS) / (WEAR_STEPS - 1), view);
  }

  /** Writes the classifier as JSON. */
  public void save(Path file) throws IOException {
    new ObjectMapper().writeValue(file.toFile(),
        new Stored(styles, regression.mean(), regression.scale(), regression.weights()));
  }

  /** Reads what {@link #save} wrote; the classifier gives the same answers to the last bit. */
  public static StyleClassifier load(Path file) throws IOException {
    try {
      Stored stored = new ObjectMapper().readValue(file.toFile(), Stored.class);
      var regression =
          new SoftmaxRegression(stored.styles().size(), stored.mean(), stored.scale(), stored.weights());
      if (stored.mean().length != StyleFeatures.COUNT) {
        throw new IOException(file + ": made for " + stored.mean().length + " features, this version has "
            + StyleFeatures.COUNT);
      }
      return new StyleClassifier(List.copyOf(stored.styles()), regression);
    } catch (JsonProcessingException | IllegalArgumentException e) {
      throw new IOException(file + ": not a style classifier: " + e.getMessage(), e);
    }
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
}
