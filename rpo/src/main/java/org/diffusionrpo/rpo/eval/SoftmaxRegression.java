package org.diffusionrpo.rpo.eval;

import java.util.Arrays;

/**
 * Multinomial logistic regression on standardised features with a ridge penalty.
 * <pre>
 *   L(W, b) = mean_n( -log softmax(W x_n + b)[label_n] ) + ridge/2 |W|^2
 * </pre>
 * Trained on the whole set by Nesterov's accelerated gradient, whose step follows from the data: the Hessian of the
 * softmax is at most 1/2, so L is smooth with constant {@code lambda_max(X'X / N) / 2 + ridge}. No randomness, no rate
 * to tune.
 */
final class SoftmaxRegression {
  private static final int ITERATIONS = 400;
  private static final int POWER_STEPS = 30;

  private final double[] mean;
  private final double[] scale;
  private final double[][] weights; // [classes][D + 1], the last column is the bias

  private SoftmaxRegression(double[] mean, double[] scale, double[][] weights) {
    this.mean = mean;
    this.scale = scale;
    this.weights = weights;
  }

  /** Fits {@code features} [N][D] with labels in [0, classes). */
  static SoftmaxRegression fit(double[][] features, int[] labels, int classes, double ridge) {
    int d = features[0].length;
    double[] mean = new double[d];
    double[] scale = new double[d];
    standardisation(features, mean, scale);
    double[][] x = new double[features.length][];
    for (int n = 0; n < x.length; n++) {
      x[n] = standardised(features[n], mean, scale);
    }
    // The 1.1 covers what the power iteration still lacks.
    double step = 1 / (1.1 * largestEigenvalue(x) / 2 + ridge);
    double[][] weights = new double[classes][d + 1];
    double[][] previous = new double[classes][d + 1];
    double[][] ahead = new double[classes][d + 1];
    for (int t = 0; t < ITERATIONS; t++) {
      double momentum = t / (t + 3.0);
      for (int c = 0; c < classes; c++) {
        for (int k = 0; k <= d; k++) {
          ahead[c][k] = weights[c][k] + momentum * (weights[c][k] - previous[c][k]);
          previous[c][k] = weights[c][k];
          weights[c][k] = ahead[c][k] * (1 - (k < d ? step * ridge : 0));
        }
      }
      descend(weights, ahead, x, labels, step);
    }
    return new SoftmaxRegression(mean, scale, weights);
  }

  /** Class probabilities of one feature vector. */
  double[] probabilities(double[] features) {
    return softmax(weights, standardised(features, mean, scale));
  }

  /** {@code weights -= step * gradient of the mean cross entropy at ahead}. */
  private static void descend(double[][] weights, double[][] ahead, double[][] x, int[] labels, double step) {
    for (int n = 0; n < x.length; n++) {
      double[] p = softmax(ahead, x[n]);
      p[labels[n]] -= 1;
      for (int c = 0; c < p.length; c++) {
        double pull = step * p[c] / x.length;
        for (int k = 0; k < x[n].length; k++) {
          weights[c][k] -= pull * x[n][k];
        }
      }
    }
  }

  private static double[] softmax(double[][] weights, double[] x) {
    double[] p = new double[weights.length];
    for (int c = 0; c < p.length; c++) {
      for (int k = 0; k < x.length; k++) {
        p[c] += weights[c][k] * x[k];
      }
    }
    double largest = Arrays.stream(p).max().orElseThrow();
    double sum = 0;
    for (int c = 0; c < p.length; c++) {
      p[c] = Math.exp(p[c] - largest);
      sum += p[c];
    }
    for (int c = 0; c < p.length; c++) {
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

  private static double largestEigenvalue(double[][] x) {
    double[] v = new double[x[0].length];
    Arrays.fill(v, 1 / Math.sqrt(v.length));
    double eigenvalue = 0;
    for (int t = 0; t < POWER_STEPS; t++) {
      double[] next = new double[v.length];
      for (double[] row : x) {
        double dot = 0;
        for (int k = 0; k < v.length; k++) {
          dot += row[k] * v[k];
        }
        for (int k = 0; k < v.length; k++) {
          next[k] += dot * row[k] / x.length;
        }
      }
      eigenvalue = Math.sqrt(Arrays.stream(next).map(value -> value * value).sum());
      for (int k = 0; k < v.length; k++) {
        v[k] = next[k] / eigenvalue;
      }
    }
    return eigenvalue;
  }
}
