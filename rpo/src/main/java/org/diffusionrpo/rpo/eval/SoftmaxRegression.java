package org.diffusionrpo.rpo.eval;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Multinomial logistic regression on standardised features with a ridge penalty, found by L-BFGS from zero: no
 * randomness, no rate to tune.
 * <pre>
 *   L(W, b) = mean_n( -log softmax(W x_n + b)[label_n] ) + ridge/2 |W|^2
 * </pre>
 *
 * @param mean [D] of the training features
 * @param scale [D] one over their standard deviation
 * @param weights [D + 1, classes], the last row is the bias
 */
record SoftmaxRegression(int classes, double[] mean, double[] scale, double[] weights) {
  private static final int ITERATIONS = 100;

  /** Rows of one partial sum. Fixed, so that the result does not depend on the number of threads. */
  private static final int TILE = 512;

  SoftmaxRegression {
    if (scale.length != mean.length || weights.length != (mean.length + 1) * classes) {
      throw new IllegalArgumentException("a regression of " + classes + " classes on " + mean.length
          + " features cannot have " + scale.length + " scales and " + weights.length + " weights");
    }
  }

  /** Fits {@code features} [N][D] with labels in [0, classes). */
  static SoftmaxRegression fit(double[][] features, int[] labels, int classes, double ridge) {
    int d = features[0].length;
    double[] mean = new double[d];
    double[] scale = new double[d];
    standardisation(features, mean, scale);
    double[][] x = Arrays.stream(features).map(row -> standardised(row, mean, scale)).toArray(double[][]::new);
    double[] weights = Lbfgs.minimise((d + 1) * classes, ITERATIONS,
        (w, gradient) -> loss(w, gradient, x, labels, classes, ridge));
    return new SoftmaxRegression(classes, mean, scale, weights);
  }

  /** Class probabilities of one feature vector. */
  double[] probabilities(double[] features) {
    return softmax(weights, standardised(features, mean, scale), classes);
  }

  private static double loss(double[] w, double[] gradient, double[][] x, int[] labels, int classes, double ridge) {
    int tiles = (x.length + TILE - 1) / TILE;
    double[][] parts = IntStream.range(0, tiles).parallel()
        .mapToObj(tile -> tile(w, x, labels, classes, tile * TILE, Math.min((tile + 1) * TILE, x.length)))
        .toArray(double[][]::new);
    Arrays.fill(gradient, 0);
    double loss = 0;
    for (double[] part : parts) {
      for (int k = 0; k < gradient.length; k++) {
        gradient[k] += part[k] / x.length;
      }
      loss += part[gradient.length] / x.length;
    }
    for (int k = 0; k < gradient.length - classes; k++) { // the bias is not penalised
      gradient[k] += ridge * w[k];
      loss += ridge / 2 * w[k] * w[k];
    }
    return loss;
  }

  /** Sums over rows [from, to): the gradient, followed by the loss. */
  private static double[] tile(double[] w, double[][] x, int[] labels, int classes, int from, int to) {
    double[] sums = new double[w.length + 1];
    for (int n = from; n < to; n++) {
      double[] p = softmax(w, x[n], classes);
      sums[w.length] -= Math.log(Math.max(p[labels[n]], Double.MIN_NORMAL));
      p[labels[n]] -= 1;
      for (int k = 0; k < x[n].length; k++) {
        for (int c = 0; c < classes; c++) {
          sums[k * classes + c] += p[c] * x[n][k];
        }
      }
    }
    return sums;
  }

  private static double[] softmax(double[] w, double[] x, int classes) {
    double[] p = new double[classes];
    for (int k = 0; k < x.length; k++) {
      for (int c = 0; c < classes; c++) {
        p[c] += w[k * classes + c] * x[k];
      }
    }
    double largest = Arrays.stream(p).max().orElseThrow();
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      p[c] = Math.exp(p[c] - largest);
      sum += p[c];
    }
    for (int c = 0; c < classes; c++) {
      p[c] /= sum;
    }
    return p;
  }

  private static void standardisation(double[][] features, double[] mean, double[] scale) {
    for (double[] row : features) {
      for (int k = 0; k < mean.length; k++) {
        mean[k] += row[k] / features.length;
      }
    }
    for (double[] row : features) {
      for (int k = 0; k < mean.length; k++) {
        scale[k] += (row[k] - mean[k]) * (row[k] - mean[k]) / features.length;
      }
    }
    for (int k = 0; k < scale.length; k++) {
      // A feature that never varies says nothing, and must not divide by zero.
      scale[k] = scale[k] > 1e-18 ? 1 / Math.sqrt(scale[k]) : 0;
    }
  }

  /** (x - mean) * scale, followed by a 1 for the bias. */
  private static double[] standardised(double[] features, double[] mean, double[] scale) {
    double[] x = new double[mean.length + 1];
    for (int k = 0; k < mean.length; k++) {
      x[k] = (features[k] - mean[k]) * scale[k];
    }
    x[mean.length] = 1;
    return x;
  }
}
