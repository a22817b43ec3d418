package org.diffusionrpo.bench.versus;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Tensor;

/** Time and number of calls of each operation, by the shapes of its tensors. */
final class Times {
  private static final double NANOS_PER_MILLI = 1e6;

  private final Map<String, Line> lines = new HashMap<>();

  private record Line(String operation, String shapes, long calls, long nanos) {
    Line plus(Line other) {
      return new Line(operation, shapes, calls + other.calls, nanos + other.nanos);
    }
  }

  void add(String operation, Object[] arguments, long nanos) {
    String name = operation + Stream.of(arguments).filter(Activation.class::isInstance)
        .map(kind -> " " + kind.toString().toLowerCase(Locale.ROOT)).collect(Collectors.joining());
    String shapes = Stream.of(arguments).filter(Tensor.class::isInstance).map(x -> ((Tensor) x).shape().toString())
        .distinct().limit(3).collect(Collectors.joining(" "));
    lines.merge(name + shapes, new Line(name, shapes, 1, nanos), Line::plus);
  }

  void clear() {
    lines.clear();
  }

  /** Per run: the operations together, then the {@code most} slowest by shape. */
  List<String> table(int runs, long wallNanos, int most) {
    Map<String, Line> byOperation = new HashMap<>();
    lines.values().forEach(line -> byOperation.merge(line.operation,
        new Line(line.operation, "", line.calls, line.nanos), Line::plus));
    long nanos = byOperation.values().stream().mapToLong(Line::nanos).sum();
    List<String> table = new ArrayList<>();
    table.add(String.format(Locale.ROOT, "%d runs of %.1f ms; operations %.1f %% of that", runs,
        wallNanos / NANOS_PER_MILLI / runs, 100.0 * nanos / wallNanos));
    table.add(String.format(Locale.ROOT, "%10s %7s %7s  %s", "ms", "share", "calls", "operation"));
    print(table, byOperation, runs, wallNanos, byOperation.size());
    table.add("");
    print(table, lines, runs, wallNanos, most);
    return table;
  }

  private static void print(List<String> table, Map<String, Line> lines, int runs, long wallNanos, int most) {
    lines.values().stream().sorted(Comparator.comparingLong(Line::nanos).reversed()).limit(most)
        .forEach(line -> table.add(String.format(Locale.ROOT, "%10.2f %5.1f %% %7d  %-28s %s",
            line.nanos / NANOS_PER_MILLI / runs, 100.0 * line.nanos / wallNanos, line.calls / runs, line.operation,
            line.shapes).stripTrailing()));
  }
}
