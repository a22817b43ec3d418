package org.diffusionrpo.rpo.loss;

import java.util.Random;

/** Random batches and the finite-difference check that the tests of this package share. */
final class LossTesting {
  private LossTesting() {}

  /** Errors near 0.12 that differ by about 1e-3, as in training; with beta 2000 the logits are of order 1. */
  static PairErrors errors(Random random, int winners, int losers) {
    return new PairErrors(errors(random, winners), errors(random, losers), errors(random, winners),
        errors(random, losers));
  }

  private static double[] errors(Random random, int n) {
    return random.doubles(n).map(u -> 0.12 + 0.002 * u).toArray();
  }

  static double[][] units(Random random, int rows, int columns) {
    double[][] units = new double[rows][columns];
    for (double[] row : units) {
      double norm = 0;
      for (int k = 0; k < columns; k++) {
        row[k] = random.nextGaussian();
        norm += row[k] * row[k];
      }
      for (int k = 0; k < columns; k++) {
        row[k] /= Math.sqrt(norm);
      }
    }
    return units;
  }

  static PairFeatures features(Random random, int winners, int losers) {
    return new PairFeatures(units(random, winners, 7), units(random, losers, 7), units(random, winners, 5),
        units(random, losers, 5));
  }

  /** The largest difference between gradient and central differences, divided by the largest gradient. */
  static double gradientError(PreferenceLoss loss, PairErrors errors, PairFeatures features) {
    double step = 1e-6; // errors are of order 0.1 and logits change by 1e-3 per step: truncation about 1e-7
    PreferenceLoss.Result result = loss.evaluate(errors, features);
    double worst = 0;
    double largest = 0;
    for (int side = 0; side < 2; side++) {
      double[] gradient = side == 0 ? result.dWinner() : result.dLoser();
      for (int i = 0; i < gradient.length; i++) {
        double up = loss.evaluate(shifted(errors, side, i, step), features).loss();
        double down = loss.evaluate(shifted(errors, side, i, -step), features).loss();
        worst = Math.max(worst, Math.abs(gradient[i] - (up - down) / (2 * step)));
        largest = Math.max(largest, Math.abs(gradient[i]));
      }
    }
    return worst / largest;
  }

  private static PairErrors shifted(PairErrors errors, int side, int index, double by) {
    double[] winner = errors.policyWinner().clone();
    double[] loser = errors.policyLoser().clone();
    (side == 0 ? winner : loser)[index] += by;
    return new PairErrors(winner, loser, errors.referenceWinner(), errors.referenceLoser());
  }

  static double[] permuted(double[] values, int[] order) {
    double[] permuted = new double[values.length];
    for (int i = 0; i < order.length; i++) {
      permuted[i] = values[order[i]];
    }
    return permuted;
  }

  static double[][] permuted(double[][] rows, int[] order) {
    double[][] permuted = new double[rows.length][];
    for (int i = 0; i < order.length; i++) {
      permuted[i] = rows[order[i]];
    }
    return permuted;
  }
}
