package org.diffusionrpo.rpo.loss;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Cuts a batch of pairs into contrast groups of {@code size}; pairs contrast within their group only. The last group is
 * smaller when {@code size} does not divide the batch. A group counts in proportion to its pairs:
 * {@code L = sum_g (pairs_g / B) L_g}, so every pair has the same say.
 */
public record ContrastGroups(PreferenceLoss loss, int size) implements PreferenceLoss {
  public ContrastGroups {
    if (size < 1) {
      throw new IllegalArgumentException("a contrast group needs at least one pair, got " + size);
    }
  }

  @Override
  public Result evaluate(PairErrors errors, PairFeatures features) {
    if (loss.usesLosers()) {
      errors.requirePairs("a batch cut into contrast groups");
    }
    int pairs = errors.winners();
    if (pairs == 0) {
      throw new IllegalArgumentException("a batch needs at least one pair");
    }
    int groups = (pairs + size - 1) / size;
    double[] dWinner = new double[pairs];
    double[] dLoser = new double[errors.losers()];
    double[] shares = new double[groups];
    List<Map<LossMetric, Double>> metrics = new ArrayList<>(groups);
    double sum = 0;
    for (int g = 0; g < groups; g++) {
      int from = g * size;
      int to = Math.min(from + size, pairs);
      Result group = loss.evaluate(errors.slice(from, to), features.slice(from, to));
      sum += group.loss() * (to - from);
      shares[g] = (double) (to - from) / pairs;
      scatter(dWinner, group.dWinner(), from, to - from, pairs);
      scatter(dLoser, group.dLoser(), from, to - from, pairs);
      metrics.add(group.metrics());
    }
    return new Result(sum / pairs, dWinner, dLoser, LossMetric.pool(metrics, shares));
  }

  private static void scatter(double[] batch, double[] group, int from, int groupPairs, int pairs) {
    for (int i = 0; i < group.length; i++) {
      batch[from + i] = group[i] * groupPairs / pairs;
    }
  }

  @Override
  public boolean usesReference() {
    return loss.usesReference();
  }

  @Override
  public boolean usesLosers() {
    return loss.usesLosers();
  }
}
