package org.diffusionrpo.rpo.compare;

import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How long the rest of a comparison takes, from the units that are done. A method that none of them used counts as the
 * slowest of those that they did; so the first estimates are low, since SFT comes first and runs no reference.
 */
final class Estimate {
  private Estimate() {}

  /**
   * NaN before the first training was measured.
   *
   * @param planned units of each method, the finished ones included
   */
  static double secondsLeft(Collection<UnitResult> finished, Map<Method, Integer> planned) {
    Map<Method, Double> perUnit = finished.stream()
        .collect(Collectors.groupingBy(UnitResult::method, Collectors.averagingDouble(UnitResult::seconds)));
    double slowest = perUnit.entrySet().stream().filter(entry -> entry.getKey() != Method.BASE)
        .mapToDouble(Map.Entry::getValue).max().orElse(Double.NaN);
    double seconds = 0;
    for (Map.Entry<Method, Integer> entry : planned.entrySet()) {
      Method method = entry.getKey();
      long done = finished.stream().filter(result -> result.method() == method).count();
      seconds += (entry.getValue() - done) * perUnit.getOrDefault(method, slowest);
    }
    return seconds;
  }

  static String describe(Collection<UnitResult> finished, Map<Method, Integer> planned) {
    double seconds = secondsLeft(finished, planned);
    return Double.isNaN(seconds) ? "the time is known once the first has run"
        : String.format(Locale.ROOT, "about %.0f minutes left", seconds / 60);
  }
}
