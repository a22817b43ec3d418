package org.diffusionrpo.rpo.eval;

import java.util.Locale;

/**
 * Mean and sample standard deviation over repetitions, usually seeds.
 *
 * @param deviation with divisor n - 1; NaN for a single value, whose spread is unknown rather than zero
 */
public record Spread(double mean, double deviation, int count) {
  public static Spread of(double... values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("the spread of no values");
    }
    double mean = 0;
    for (double value : values) {
      mean += value / values.length;
    }
    double squares = 0;
    for (double value : values) {
      squares += (value - mean) * (value - mean);
    }
    double deviation = values.length == 1 ? Double.NaN : Math.sqrt(squares / (values.length - 1));
    return new Spread(mean, deviation, values.length);
  }

  /** {@code 12.3 ± 0.4}, or the bare mean of a single value. */
  public String format(int decimals) {
    String number = "%." + decimals + "f";
    return count == 1
        ? String.format(Locale.ROOT, number, mean)
        : String.format(Locale.ROOT, number + " ± " + number, mean, deviation);
  }
}
