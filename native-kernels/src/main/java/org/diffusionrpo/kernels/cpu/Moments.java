package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Mean and sum of squared deviations of several groups of equal size, joined part by part without cancellation:
 * Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances".
 */
final class Moments {
  private final double[] mean;
  private final double[] squares;
  private double count;

  Moments(int groups) {
    mean = new double[groups];
    squares = new double[groups];
  }

  double mean(int group) {
    return mean[group];
  }

  /** One value per channel. */
  void copyMeans(float[] perChannel) {
    int width = perChannel.length / mean.length;
    for (int g = 0; g < mean.length; g++) {
      Arrays.fill(perChannel, g * width, (g + 1) * width, (float) mean[g]);
    }
  }

  /** Biased: divided by the number of values. */
  double variance(int group) {
    return squares[group] / count;
  }

  /** Sets the means alone, from the sums of equally many channels per group; {@code count} values per group. */
  void setMeans(float[] channelSums, double count) {
    for (int g = 0; g < mean.length; g++) {
      mean[g] = groupSum(channelSums, g) / count;
    }
  }

  /** Sets all from sums of deviations and of their squares around {@code center}, which has one value per group. */
  void set(float[] channelDeviations, float[] channelSquares, float[] center, double count) {
    this.count = count;
    int width = center.length / mean.length;
    for (int g = 0; g < mean.length; g++) {
      double offset = groupSum(channelDeviations, g) / count;
      mean[g] = center[g * width] + offset;
      squares[g] = Math.max(0, groupSum(channelSquares, g) - count * offset * offset);
    }
  }

  /** Joins the values of {@code part} to these. */
  void add(Moments part) {
    double total = count + part.count;
    for (int g = 0; g < mean.length; g++) {
      double difference = part.mean[g] - mean[g];
      mean[g] += difference * part.count / total;
      squares[g] += part.squares[g] + difference * difference * (count * part.count / total);
    }
    count = total;
  }

  private double groupSum(float[] perChannel, int group) {
    int width = perChannel.length / mean.length;
    double sum = 0;
    for (int c = group * width; c < (group + 1) * width; c++) {
      sum += perChannel[c];
    }
    return sum;
  }
}
