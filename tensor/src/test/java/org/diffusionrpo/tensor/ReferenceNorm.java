package org.diffusionrpo.tensor;

import static org.diffusionrpo.tensor.ReferenceBackend.values;

/**
 * Group norm in doubles; layer norm is the case of one group and as many samples as rows. x is [samples, ..., C], a
 * group is C / groups neighbouring channels at all positions of a sample.
 */
record ReferenceNorm(int samples, int positions, int channels, int groups) {
  static ReferenceNorm of(Tensor x, int samples, int groups) {
    return new ReferenceNorm(samples, x.size() / samples / x.dim(-1), x.dim(-1), groups);
  }

  void forward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, double eps) {
    for (int set = 0; set < samples * groups; set++) {
      double average = 0;
      for (int i = 0; i < size(); i++) {
        average += values(x)[index(set, i)] / size();
      }
      double variance = 0;
      for (int i = 0; i < size(); i++) {
        double deviation = values(x)[index(set, i)] - average;
        variance += deviation * deviation / size();
      }
      values(mean)[set] = average;
      values(rstd)[set] = 1 / Math.sqrt(variance + eps);
    }
    normalize(y, mean, rstd, x, gamma, beta);
  }

  /** y from statistics that are known. */
  void normalize(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta) {
    for (int set = 0; set < samples * groups; set++) {
      for (int i = 0; i < size(); i++) {
        int at = index(set, i);
        int c = at % channels;
        values(y)[at] = normalized(x, at, set, mean, rstd) * values(gamma)[c] + values(beta)[c];
      }
    }
  }

  void backward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma, Tensor mean, Tensor rstd) {
    for (int set = 0; set < samples * groups; set++) {
      double meanSlope = 0;
      double meanProduct = 0;
      for (int i = 0; i < size(); i++) {
        int at = index(set, i);
        int c = at % channels;
        double xn = normalized(x, at, set, mean, rstd);
        double slope = values(dy)[at] * values(gamma)[c];
        meanSlope += slope / size();
        meanProduct += slope * xn / size();
        if (dGamma != null) {
          values(dGamma)[c] += values(dy)[at] * xn;
        }
        if (dBeta != null) {
          values(dBeta)[c] += values(dy)[at];
        }
      }
      for (int i = 0; i < size(); i++) {
        int at = index(set, i);
        double slope = values(dy)[at] * values(gamma)[at % channels];
        values(dx)[at] = values(rstd)[set]
            * (slope - meanSlope - normalized(x, at, set, mean, rstd) * meanProduct);
      }
    }
  }

  private static double normalized(Tensor x, int at, int set, Tensor mean, Tensor rstd) {
    return (values(x)[at] - values(mean)[set]) * values(rstd)[set];
  }

  /** Elements of one group of one sample. */
  private int size() {
    return positions * channels / groups;
  }

  /** Where element i of a set stands in x; the sets count through the groups of the first sample first. */
  private int index(int set, int i) {
    int width = channels / groups;
    int position = set / groups * positions + i / width;
    return position * channels + set % groups * width + i % width;
  }
}
