package org.diffusionrpo.rpo.compare;

import java.util.Collection;
import java.util.Locale;

/** How long the rest of a comparison takes, from the units that are done: all cost about the same but the base's. */
final class Estimate {
  private Estimate() {}

  /** NaN before the first training was measured. */
  static double secondsLeft(Collection<UnitResult> finished, int total) {
    double perUnit = finished.stream().filter(result -> result.method() != Method.BASE)
        .mapToDouble(UnitResult::seconds).average().orElse(Double.NaN);
    return perUnit * (total - finished.size());
  }

  static String describe(Collection<UnitResult> finished, int total) {
    double seconds = secondsLeft(finished, total);
    return Double.isNaN(seconds) ? "the time is known once the first has run"
        : String.format(Locale.ROOT, "about %.0f minutes left", seconds / 60);
  }
}
