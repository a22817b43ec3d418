package org.diffusionrpo.rpo.loss;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/**
 * Supervised fine-tuning on the preferred images: {@code L = mean_i m(w_i)}. Losers and the reference are not read; a
 * reference that is given anyway is reported.
 */
public record Sft() implements PreferenceLoss {
  @Override
  public Result evaluate(PairErrors errors, PairFeatures features) {
    int pairs = errors.winners();
    if (pairs == 0) {
      throw new IllegalArgumentException("SFT needs the errors of at least one preferred image");
    }
    double loss = LogitTally.mean(errors.policyWinner());
    double[] dWinner = new double[pairs];
    Arrays.fill(dWinner, 1.0 / pairs);
    Map<LossMetric, Double> metrics = new EnumMap<>(LossMetric.class);
    metrics.put(LossMetric.WINNER_ERROR, loss);
    if (errors.referenceWinner().length != 0) {
      metrics.put(LossMetric.WINNER_DELTA, loss - LogitTally.mean(errors.referenceWinner()));
    }
    return new Result(loss, dWinner, new double[errors.losers()], metrics);
  }

  @Override
  public boolean usesReference() {
    return false;
  }

  @Override
  public boolean usesLosers() {
    return false;
  }
}
