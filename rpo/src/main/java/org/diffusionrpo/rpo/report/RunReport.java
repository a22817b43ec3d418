package org.diffusionrpo.rpo.report;

import static org.diffusionrpo.rpo.loss.LossMetric.CONTRAST_ACCURACY;
import static org.diffusionrpo.rpo.loss.LossMetric.DIAGONAL_LOSS;
import static org.diffusionrpo.rpo.loss.LossMetric.DIAGONAL_WEIGHT;
import static org.diffusionrpo.rpo.loss.LossMetric.IMPLICIT_ACCURACY;
import static org.diffusionrpo.rpo.loss.LossMetric.LOGIT_MAX;
import static org.diffusionrpo.rpo.loss.LossMetric.LOGIT_MEAN;
import static org.diffusionrpo.rpo.loss.LossMetric.LOGIT_MIN;
import static org.diffusionrpo.rpo.loss.LossMetric.LOSER_DELTA;
import static org.diffusionrpo.rpo.loss.LossMetric.OFF_DIAGONAL_LOSS;
import static org.diffusionrpo.rpo.loss.LossMetric.SATURATED_RIGHT;
import static org.diffusionrpo.rpo.loss.LossMetric.SATURATED_WRONG;
import static org.diffusionrpo.rpo.loss.LossMetric.WEIGHT_ENTROPY_RELATIVE;
import static org.diffusionrpo.rpo.loss.LossMetric.WINNER_DELTA;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.rpo.loss.LossMetric;
import org.diffusionrpo.rpo.report.Block.Charts.Explained;
import org.diffusionrpo.rpo.report.LineChart.Mark;
import org.diffusionrpo.rpo.report.Page.Section;

/**
 * What there is to tell about one alignment run, and how the page tells it. Curves whose numbers are not in the log are
 * left out, so the same report serves SFT, Diffusion-DPO and Diffusion-RPO.
 *
 * @param settings every setting of the run by name
 * @param steps the log, see {@link MetricsLog}
 * @param samples the same prompts and seeds before and after
 * @param results style alignment before and after; empty when nothing was measured
 * @param notes further paragraphs for the end of the results
 */
public record RunReport(String title, String subtitle, List<Page.Fact> facts, Map<String, String> settings,
    List<MetricsLog.Entry> steps, List<Block.Samples.Sample> samples, List<ComparisonTable> results,
    List<String> notes) {
  /** Names in the log besides those of {@link LossMetric}. */
  public static final String LOSS = "loss";
  public static final String LEARNING_RATE = "lr";
  public static final String GRADIENT_NORM = "grad_norm";
  public static final String SECONDS = "seconds_per_step";

  private static final Mark CHANCE = new Mark("chance", 0.5);
  private static final Mark REFERENCE = new Mark("reference", 0);

  /** The page for {@link HtmlReport}. */
  public Page page() {
    List<Section> sections = new ArrayList<>();
    List<Block> results = new ArrayList<>();
    this.results.forEach(table -> results.add(new Block.Table(table)));
    notes.forEach(note -> results.add(new Block.Text(note)));
    sections.add(new Section("Style alignment", results));
    sections.add(new Section("Before and after", samples.isEmpty() ? List.of() : List.of(
        new Block.Text("The same prompts and the same initial noise, drawn by the base model and by the aligned one. "
            + "Nothing was picked or retouched."), new Block.Samples(samples))));
    List<Explained> learning = learningCurves();
    if (!learning.isEmpty()) {
      List<Block> blocks = new ArrayList<>();
      if (logs(LOGIT_MEAN)) {
        blocks.add(new Block.Text(FLAT_LOSS));
      }
      blocks.add(new Block.Charts(learning));
      sections.add(new Section("Learning", blocks));
    }
    List<Explained> mechanics = mechanicsCurves();
    sections.add(new Section("Optimisation",
        mechanics.isEmpty() ? List.of() : List.of(new Block.Charts(mechanics))));
    sections.add(new Section("Settings", settings.isEmpty() ? List.of() : List.of(new Block.Settings(settings))));
    return new Page(title, subtitle, facts, sections);
  }

  private static final String FLAT_LOSS = "Why the loss looks flat: a preference loss starts at ln 2 ≈ 0.693, because "
      + "the trained network still equals its reference and every comparison is undecided. Timesteps and noise are "
      + "drawn anew for every batch and change single errors far more than one update does, so the loss of a step is "
      + "mostly noise around a slow trend. Judge the run by the implicit accuracy, which should leave one half, and by "
      + "the errors against the reference: the preferred images should fall below the rejected ones. With contrast "
      + "weights inside the sigmoid each logit is also divided among many losers, and the loss moves even less; "
      + "values of different batch sizes, temperatures or objectives do not compare.";

  private List<Explained> learningCurves() {
    List<Explained> curves = new ArrayList<>();
    boolean preference = logs(LOGIT_MEAN);
    add(curves, "Loss", preference
        ? "Strong line: local trend. Below ln 2 the preferred images win. See above why it moves so little."
        : "Strong line: local trend. The mean denoising error of the preferred images.",
        preference ? List.of(new Mark("ln 2: undecided", Math.log(2))) : List.of(), names(LOSS, "loss"));
    Map<String, String> accuracies = names(IMPLICIT_ACCURACY.key(), "own loser");
    accuracies.put(CONTRAST_ACCURACY.key(), "all losers, weighted");
    add(curves, "Implicit accuracy", "How often the model, measured against its reference, prefers the winner. It "
        + "drifts from one half upwards in a healthy run; close to 1 within a few steps means that beta or the "
        + "learning rate is too high.", List.of(CHANCE), accuracies);
    Map<String, String> deltas = names(WINNER_DELTA.key(), "preferred");
    deltas.put(LOSER_DELTA.key(), "rejected");
    add(curves, "Denoising error against the reference", "Change of the error on either side. The gap between the two "
        + "is what the loss works on. Both may rise; when they rise far and together, the model forgets how to draw.",
        List.of(REFERENCE), deltas);
    Map<String, String> logits = names(LOGIT_MEAN.key(), "mean");
    logits.put(LOGIT_MIN.key(), "smallest");
    logits.put(LOGIT_MAX.key(), "largest");
    add(curves, "Logits", "Arguments of the log-sigmoid. Much smaller than 1: only the gradient's direction works, "
        + "beta could be larger. Beyond ±5: the sigmoid is saturated.", List.of(), logits);
    Map<String, String> saturation = names(SATURATED_RIGHT.key(), "solved");
    saturation.put(SATURATED_WRONG.key(), "wrong");
    add(curves, "Saturated sigmoids", "Share of comparisons outside 1% to 99%. Solved ones no longer teach; wrong ones "
        + "pull with full strength and can destabilise training.", List.of(), saturation);
    Map<String, String> parts = names(DIAGONAL_LOSS.key(), "own loser");
    parts.put(OFF_DIAGONAL_LOSS.key(), "other losers");
    if (logs(WEIGHT_ENTROPY_RELATIVE)) {
      add(curves, "Parts of the loss", "What a winner's own loser and the losers of other prompts contribute.",
          List.of(), parts);
    }
    Map<String, String> weights = names(WEIGHT_ENTROPY_RELATIVE.key(), "entropy / ln N");
    weights.put(DIAGONAL_WEIGHT.key(), "weight of own loser");
    add(curves, "Contrast weights", "Entropy 1: all losers count alike, prompts and images tell nothing; near 0: only "
        + "the nearest loser counts and contrasts between prompts are lost. The temperature tau moves it.", List.of(),
        weights);
    return curves;
  }

  private List<Explained> mechanicsCurves() {
    List<Explained> curves = new ArrayList<>();
    add(curves, "Learning rate", "The rate of each update, with its warm-up.", List.of(),
        names(LEARNING_RATE, "learning rate"));
    add(curves, "Gradient norm", "Length of the whole gradient before clipping. Rising steadily: the rate is too high.",
        List.of(), names(GRADIENT_NORM, "gradient norm"));
    add(curves, "Seconds per step", "Wall-clock time of one update; the first ones include compilation by the JVM.",
        List.of(), names(SECONDS, "seconds"));
    return curves;
  }

  /** Adds a chart of those named values that the log holds, if any. */
  private void add(List<Explained> curves, String title, String explanation, List<Mark> marks,
      Map<String, String> names) {
    List<Series> series = new ArrayList<>();
    names.forEach((key, name) -> {
      Series values = series(key, name);
      if (values.finite().x().length > 0) {
        series.add(values);
      }
    });
    if (!series.isEmpty()) {
      curves.add(new Explained(new LineChart(title, "update", series, marks, !names.containsKey(LEARNING_RATE)), explanation));
    }
  }

  private Series series(String key, String name) {
    List<MetricsLog.Entry> logged = steps.stream().filter(entry -> entry.values().containsKey(key)).toList();
    return new Series(name, logged.stream().mapToDouble(MetricsLog.Entry::step).toArray(),
        logged.stream().mapToDouble(entry -> entry.values().get(key)).toArray());
  }

  private boolean logs(LossMetric metric) {
    return steps.stream().anyMatch(entry -> entry.values().containsKey(metric.key()));
  }

  private static Map<String, String> names(String key, String name) {
    Map<String, String> names = new LinkedHashMap<>();
    names.put(key, name);
    return names;
  }
}
