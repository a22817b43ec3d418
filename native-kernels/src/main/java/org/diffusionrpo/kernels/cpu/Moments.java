package org.diffusionrpo.kernels.cpu;

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

  /** Biased: divided by the number of values. */
  double variance(int group) {
    return squares[group] / count;
  }

  /** Sets the means from the sums of equally many channels per group; {@code count} values per group. */
  void setMeans(float[] channelSums, double count) {
    this.count = count;
    int width = channelSums.length / mean.length;
    for (int g = 0; g < mean.length; g++) {
      double sum = 0;
      for (int c = g * width; c < (g + 1) * width; c++) {
        sum += channelSums[c];
      }
      mean[g] = sum / count;
    }
  }

  /** Sets the squares from those around {@code center}, the means as rounded to float. */
  void setSquares(float[] channelSquares, float[] center) {
    int width = channelSquares.length / mean.length;
    for (int g = 0; g < mean.length; g++) {
      double sum = 0;
      for (int c = g * width; c < (g + 1) * width; c++) {
        sum += channelSquares[c];
      }
      double offset = mean[g] - center[g * width];
      squares[g] = Math.max(0, sum - count * offset * offset);
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
}
