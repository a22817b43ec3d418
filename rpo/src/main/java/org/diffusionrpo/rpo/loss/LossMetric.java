package org.diffusionrpo.rpo.loss;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** A number that explains the value of a loss, with its name in the log and its meaning in the report. */
public enum LossMetric {
  WINNER_ERROR("winner_error", Pooling.MEAN, "mean denoising error of the preferred images"),
  LOSER_ERROR("loser_error", Pooling.MEAN, "mean denoising error of the rejected images"),
  WINNER_DELTA("winner_delta", Pooling.MEAN,
      "error of the preferred images minus the reference's; below zero means the model draws them better"),
  LOSER_DELTA("loser_delta", Pooling.MEAN,
      "error of the rejected images minus the reference's; above zero means the model moved away from them"),
  LOGIT_MEAN("logit_mean", Pooling.MEAN, "mean argument of the log-sigmoid"),
  LOGIT_MEAN_ABS("logit_mean_abs", Pooling.MEAN,
      "mean size of that argument; far below 1 the loss stays at ln 2 and only its gradient works"),
  LOGIT_MIN("logit_min", Pooling.MIN, "smallest argument of the log-sigmoid"),
  LOGIT_MAX("logit_max", Pooling.MAX, "largest argument of the log-sigmoid"),
  SATURATED_RIGHT("saturated_right", Pooling.MEAN,
      "share of sigmoids above 0.99: solved contrasts whose gradient has vanished"),
  SATURATED_WRONG("saturated_wrong", Pooling.MEAN,
      "share of sigmoids below 0.01: contrasts that the model gets wrong and pulls on with full strength"),
  IMPLICIT_ACCURACY("implicit_accuracy", Pooling.MEAN,
      "share of pairs whose winner gained more on the reference than its own loser; ties count one half"),
  CONTRAST_ACCURACY("contrast_accuracy", Pooling.MEAN,
      "the same over all winner-loser contrasts, each with its weight"),
  WEIGHT_ENTROPY("weight_entropy", Pooling.MEAN, "mean entropy of a winner's contrast weights, in nats"),
  WEIGHT_ENTROPY_RELATIVE("weight_entropy_relative", Pooling.MEAN,
      "that entropy divided by ln N: 1 is uniform, 0 is one single loser"),
  DIAGONAL_WEIGHT("diagonal_weight", Pooling.MEAN, "mean contrast weight of a winner's own loser"),
  DIAGONAL_LOSS("diagonal_loss", Pooling.MEAN, "part of the loss that comes from a winner and its own loser"),
  OFF_DIAGONAL_LOSS("off_diagonal_loss", Pooling.MEAN, "part of the loss that comes from contrasts between prompts"),
  PULL("pull", Pooling.MEAN, "sum over the winners of |dLoss/dError|: how hard the objective pulls on the network");

  private enum Pooling { MEAN, MIN, MAX }

  private final String key;
  private final Pooling pooling;
  private final String meaning;

  LossMetric(String key, Pooling pooling, String meaning) {
    this.key = key;
    this.pooling = pooling;
    this.meaning = meaning;
  }

  /** The name in metrics.jsonl. */
  public String key() {
    return key;
  }

  /** One clause that says what the number tells. */
  public String meaning() {
    return meaning;
  }

  /**
   * Metrics of a batch from those of its parts.
   *
   * @param shares each part's share of the batch, summing to 1
   */
  static Map<LossMetric, Double> pool(List<Map<LossMetric, Double>> parts, double[] shares) {
    Map<LossMetric, Double> pooled = new EnumMap<>(LossMetric.class);
    for (LossMetric metric : parts.get(0).keySet()) {
      double value = switch (metric.pooling) {
        case MEAN -> 0;
        case MIN -> Double.POSITIVE_INFINITY;
        case MAX -> Double.NEGATIVE_INFINITY;
      };
      for (int p = 0; p < shares.length; p++) {
        double part = parts.get(p).get(metric);
        value = switch (metric.pooling) {
          case MEAN -> value + shares[p] * part;
          case MIN -> Math.min(value, part);
          case MAX -> Math.max(value, part);
        };
      }
      pooled.put(metric, value);
    }
    return pooled;
  }
}
