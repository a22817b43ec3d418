package org.diffusionrpo.rpo.loss;

import java.util.EnumMap;
import java.util.Map;

/** Collects the terms of a log-sigmoid objective while it is summed, and turns them into metrics. */
final class LogitTally {
  /** {@code sigmoid(x) = 0.99}; beyond it a term counts as saturated. */
  private static final double SATURATED = Math.log(99);

  private final PairErrors errors;
  private final boolean paired;
  private int count;
  private double logitSum;
  private double logitAbsSum;
  private double logitMin = Double.POSITIVE_INFINITY;
  private double logitMax = Double.NEGATIVE_INFINITY;
  private int right;
  private int wrong;
  private double diagonalAccuracy;
  private double diagonalLoss;
  private double offDiagonalLoss;

  LogitTally(PairErrors errors) {
    this.errors = errors;
    this.paired = errors.winners() == errors.losers();
  }

  /**
   * Adds the contrast of winner i and loser j.
   *
   * @param logit argument of the log-sigmoid
   * @param term the contrast's part of the loss, after all weights and means
   */
  void add(int i, int j, double logit, double term) {
    count++;
    logitSum += logit;
    logitAbsSum += Math.abs(logit);
    logitMin = Math.min(logitMin, logit);
    logitMax = Math.max(logitMax, logit);
    right += logit > SATURATED ? 1 : 0;
    wrong += logit < -SATURATED ? 1 : 0;
    if (paired && i == j) {
      diagonalAccuracy += accuracy(i, j);
      diagonalLoss += term;
    } else {
      offDiagonalLoss += term;
    }
  }

  /** What holds for every objective that compares winners with losers. */
  Map<LossMetric, Double> metrics(double[] dWinner) {
    Map<LossMetric, Double> metrics = new EnumMap<>(LossMetric.class);
    double winner = mean(errors.policyWinner());
    double loser = mean(errors.policyLoser());
    metrics.put(LossMetric.WINNER_ERROR, winner);
    metrics.put(LossMetric.LOSER_ERROR, loser);
    metrics.put(LossMetric.WINNER_DELTA, winner - mean(errors.referenceWinner()));
    metrics.put(LossMetric.LOSER_DELTA, loser - mean(errors.referenceLoser()));
    metrics.put(LossMetric.LOGIT_MEAN, logitSum / count);
    metrics.put(LossMetric.LOGIT_MEAN_ABS, logitAbsSum / count);
    metrics.put(LossMetric.LOGIT_MIN, logitMin);
    metrics.put(LossMetric.LOGIT_MAX, logitMax);
    metrics.put(LossMetric.SATURATED_RIGHT, (double) right / count);
    metrics.put(LossMetric.SATURATED_WRONG, (double) wrong / count);
    metrics.put(LossMetric.OFF_DIAGONAL_LOSS, offDiagonalLoss);
    if (paired) {
      metrics.put(LossMetric.IMPLICIT_ACCURACY, diagonalAccuracy / errors.winners());
      metrics.put(LossMetric.DIAGONAL_LOSS, diagonalLoss);
    }
    double pull = 0;
    for (double d : dWinner) {
      pull += Math.abs(d);
    }
    metrics.put(LossMetric.PULL, pull);
    return metrics;
  }

  /** Adds what contrast weights {@code omega} [M][N] tell. */
  void addWeights(Map<LossMetric, Double> metrics, double[][] omega) {
    int n = errors.losers();
    double entropy = 0;
    double diagonal = 0;
    double accuracy = 0;
    for (int i = 0; i < omega.length; i++) {
      for (int j = 0; j < n; j++) {
        double weight = omega[i][j];
        entropy -= weight > 0 ? weight * Math.log(weight) : 0;
        diagonal += i == j ? weight : 0;
        accuracy += weight * accuracy(i, j);
      }
    }
    metrics.put(LossMetric.CONTRAST_ACCURACY, accuracy / omega.length);
    metrics.put(LossMetric.WEIGHT_ENTROPY, entropy / omega.length);
    // One loser is trivially uniform.
    metrics.put(LossMetric.WEIGHT_ENTROPY_RELATIVE, n == 1 ? 1 : entropy / omega.length / Math.log(n));
    if (paired) {
      metrics.put(LossMetric.DIAGONAL_WEIGHT, diagonal / omega.length);
    }
  }

  private double accuracy(int i, int j) {
    double winner = errors.winnerDelta(i);
    double loser = errors.loserDelta(j);
    return winner < loser ? 1 : winner == loser ? 0.5 : 0;
  }

  static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }
}
