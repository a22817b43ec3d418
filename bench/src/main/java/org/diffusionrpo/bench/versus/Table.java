package org.diffusionrpo.bench.versus;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.diffusionrpo.bench.versus.Round.Measurement;

/** Writes the results: milliseconds, medians over the rounds with half their range, and ratios of times. */
final class Table {
  private static final double GIB = 1L << 30;
  private static final String ABSENT = "-";

  private final List<Side> sides;
  private final Side rival;
  private final List<Double> ratios = new ArrayList<>();
  private final List<String> memory = new ArrayList<>();

  /** @param sides in the order of the columns; the ratio is ours to the last of them */
  Table(List<Side> sides) {
    this.sides = sides;
    this.rival = sides.get(sides.size() - 1);
  }

  private boolean compares() {
    return sides.size() > 1 && sides.contains(Side.OURS);
  }

  String header() {
    StringBuilder line = new StringBuilder(String.format("%-46s", "milliseconds"));
    sides.forEach(side -> line.append(String.format("%17s", side.label())));
    if (compares()) {
      line.append(String.format("%15s", "ours/" + rival.label()));
    }
    return line.append(String.format("%15s", sides.get(0).label() + " GFLOP/s")).toString();
  }

  /** The line of a row; what it says of memory and the mean of the ratios waits for {@link #footer}. */
  String line(Row row, Map<Side, List<Measurement>> measured) {
    Map<Side, double[]> seconds = new EnumMap<>(Side.class);
    measured.forEach((side, rounds) ->
        seconds.put(side, rounds.stream().mapToDouble(Measurement::seconds).toArray()));
    StringBuilder line = new StringBuilder(String.format("%-46s", row.name()));
    for (Side side : sides) {
      double[] times = seconds.get(side);
      line.append(String.format("%17s", times == null ? ABSENT : String.format(Locale.ROOT, "%.2f ±%2.0f%%",
          1e3 * Statistics.median(times), 100 * Statistics.spread(times))));
    }
    if (compares()) {
      line.append(String.format("%15s", ratio(seconds)));
    }
    double[] first = seconds.get(sides.get(0));
    line.append(String.format("%15s", row.operations() == 0 || first == null ? ""
        : String.format(Locale.ROOT, "%.0f", row.operations() / Statistics.median(first) * 1e-9)));
    if (row.isWholeNetwork()) {
      memory.add(memoryLine(row, measured));
    }
    return line.toString().stripTrailing();
  }

  private String ratio(Map<Side, double[]> seconds) {
    if (!seconds.containsKey(Side.OURS) || !seconds.containsKey(rival)) {
      return ABSENT;
    }
    double ratio = Statistics.median(seconds.get(Side.OURS)) / Statistics.median(seconds.get(rival));
    ratios.add(ratio);
    return String.format(Locale.ROOT, "%.3f", ratio);
  }

  private String memoryLine(Row row, Map<Side, List<Measurement>> measured) {
    StringBuilder line = new StringBuilder(String.format("%-46s", row.name()));
    for (Side side : sides) {
      List<Measurement> rounds = measured.get(side);
      line.append(String.format("%17s", rounds == null ? ABSENT : String.format(Locale.ROOT, "%.2f",
          Statistics.median(rounds.stream().mapToDouble(Measurement::peakBytes).toArray()) / GIB)));
    }
    return line.toString();
  }

  /** The geometric mean of the ratios, and the peaks of memory if there were whole networks. */
  List<String> footer() {
    List<String> lines = new ArrayList<>();
    if (ratios.size() > 1) {
      double logs = ratios.stream().mapToDouble(Math::log).sum();
      lines.add(String.format(Locale.ROOT, "geometric mean of the %d ratios %.3f", ratios.size(),
          Math.exp(logs / ratios.size())));
    }
    if (!memory.isEmpty()) {
      lines.add("");
      lines.add("peak of resident memory, GiB");
      lines.addAll(memory);
    }
    return lines;
  }
}
