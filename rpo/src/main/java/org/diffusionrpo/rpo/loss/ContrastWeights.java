package org.diffusionrpo.rpo.loss;

import java.util.Arrays;

/**
 * How much winner i contrasts with loser j: the rows of omega [M][N] sum to 1. Constants for the gradient.
 */
@FunctionalInterface
public interface ContrastWeights {
  /** omega [M][N] for M winners and N losers with these embeddings. */
  double[][] omega(PairFeatures features, int winners, int losers);

  /** {@code omega_ij = softmax_j(-(1 - cos(f(w_i), f(l_j))) / tau)}: prompts and images that are near count more. */
  record Distance(Similarity similarity, double tau) implements ContrastWeights {
    public Distance {
      if (!(tau > 0) || Double.isInfinite(tau)) {
        throw new IllegalArgumentException("tau must be a positive number, got " + tau);
      }
    }

    @Override
    public double[][] omega(PairFeatures features, int winners, int losers) {
      double[][] rows = similarity.cosines(features, winners, losers);
      for (double[] row : rows) {
        softmax(row);
      }
      return rows;
    }

    /** The constant -1/tau cancels; the largest cosine is taken off first, so that a tiny tau cannot overflow. */
    private void softmax(double[] row) {
      double largest = Arrays.stream(row).max().orElseThrow();
      double sum = 0;
      for (int j = 0; j < row.length; j++) {
        row[j] = Math.exp((row[j] - largest) / tau);
        sum += row[j];
      }
      for (int j = 0; j < row.length; j++) {
        row[j] /= sum;
      }
    }
  }

  /** {@code lambda} for a winner's own loser, the rest spread evenly; 1 when there is only one pair. */
  record Diagonal(double lambda) implements ContrastWeights {
    public Diagonal {
      if (!(lambda >= 0 && lambda <= 1)) {
        throw new IllegalArgumentException("lambda must lie between 0 and 1, got " + lambda);
      }
    }

    @Override
    public double[][] omega(PairFeatures features, int winners, int losers) {
      if (winners != losers) {
        throw new IllegalArgumentException("diagonal weights need pairs, got " + winners + " winners and " + losers
            + " losers");
      }
      double[][] omega = filled(winners, losers, losers == 1 ? 1 : (1 - lambda) / (losers - 1));
      for (int i = 0; i < winners && losers > 1; i++) {
        omega[i][i] = lambda;
      }
      return omega;
    }
  }

  /** {@code 1 / N} for every loser. */
  record Uniform() implements ContrastWeights {
    @Override
    public double[][] omega(PairFeatures features, int winners, int losers) {
      return filled(winners, losers, 1.0 / losers);
    }
  }

  private static double[][] filled(int winners, int losers, double value) {
    double[][] omega = new double[winners][losers];
    for (double[] row : omega) {
      Arrays.fill(row, value);
    }
    return omega;
  }
}
