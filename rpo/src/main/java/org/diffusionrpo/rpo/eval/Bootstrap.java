package org.diffusionrpo.rpo.eval;

import java.util.Arrays;
import org.diffusionrpo.tensor.Philox;

/** Percentile bootstrap of a mean. Efron 1979. The result is a function of the values and the seed. */
public final class Bootstrap {
  /** A confidence interval for the mean. */
  public record Interval(double low, double high) {}

  private Bootstrap() {}

  /**
   * The interval that holds the mean of {@code values} with the given confidence.
   *
   * @param level such as 0.95
   * @param resamples number of samples drawn with replacement, at least 100
   */
  public static Interval ofMean(double[] values, double level, int resamples, long seed) {
    if (values.length == 0 || !(level > 0 && level < 1) || resamples < 100) {
      throw new IllegalArgumentException("bootstrap of " + values.length + " values at level " + level + " with "
          + resamples + " resamples");
    }
    Philox random = Philox.stream(seed, "bootstrap", 0);
    double[] means = new double[resamples];
    for (int r = 0; r < resamples; r++) {
      double sum = 0;
      for (int i = 0; i < values.length; i++) {
        sum += values[random.nextInt(values.length)];
      }
      means[r] = sum / values.length;
    }
    Arrays.sort(means);
    return new Interval(quantile(means, (1 - level) / 2), quantile(means, (1 + level) / 2));
  }

  /** Linear between order statistics. */
  private static double quantile(double[] sorted, double q) {
    double position = q * (sorted.length - 1);
    int below = (int) position;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  }
}
