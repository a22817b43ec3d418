package org.diffusionrpo.rpo.report;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/** A linear axis from {@code low} to {@code high} with ticks at round numbers. */
record Axis(double low, double high, double tick) {
  /** The axis that covers [low, high] with about {@code ticks} ticks. */
  static Axis covering(double low, double high, int ticks) {
    double from = low;
    double to = high;
    if (high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high))) { // a constant: show it with its distance to 0
      from = Math.min(low, 0);
      to = low == 0 ? 1 : Math.max(high, 0);
    }
    double raw = (to - from) / ticks;
    double power = Math.pow(10, Math.floor(Math.log10(raw)));
    double digit = raw / power;
    double step = (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power;
    return new Axis(from, to, step);
  }

  /** Tick positions inside the axis. */
  List<Double> ticks() {
    List<Double> ticks = new ArrayList<>();
    for (long k = (long) Math.ceil(low / tick - 1e-9); k * tick <= high + 1e-9 * tick; k++) {
      ticks.add(k * tick);
    }
    return ticks;
  }

  /** Where {@code value} lies, 0 at the low end and 1 at the high end. */
  double position(double value) {
    return (value - low) / (high - low);
  }

  /** As many digits as tell neighbouring ticks apart; a power of ten for very small and very large steps. */
  String label(double value) {
    int exponent = (int) Math.floor(Math.log10(tick) + 1e-9);
    double largest = Math.max(Math.abs(low), Math.abs(high));
    int leading = (int) Math.floor(Math.log10(Math.max(largest, tick)));
    if (Math.abs(value) < tick / 2) {
      return "0";
    }
    if (leading < -3 || leading > 5) {
      String mantissa = new BigDecimal(value / Math.pow(10, leading))
          .setScale(Math.max(leading - exponent, 0), RoundingMode.HALF_EVEN).toPlainString();
      return mantissa + "e" + leading;
    }
    return new BigDecimal(value).setScale(Math.max(-exponent, 0), RoundingMode.HALF_EVEN).toPlainString()
        .replace('-', '−');
  }
}
