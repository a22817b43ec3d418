package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.diffusionrpo.rpo.report.RunReport;

/** What a run took: the median time of an update and the most memory that the process ever held. */
final class RunCost {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final double GIB = 1L << 30;

  private RunCost() {}

  /** For example {@code 1.03 s per update (median), 2.1 GiB of memory at the peak}; the memory only where Linux tells. */
  static String describe(Path metrics) throws IOException {
    double[] seconds = MetricsLog.read(metrics).stream().mapToDouble(entry -> entry.values().get(RunReport.SECONDS))
        .sorted().toArray();
    OptionalLong peak = peakMemory(Files.exists(STATUS) ? Files.readAllLines(STATUS) : List.of());
    return String.format(Locale.ROOT, "%.3g s per update (median)", seconds[seconds.length / 2])
        + (peak.isEmpty() ? "" : String.format(Locale.ROOT, ", %.1f GiB of memory at the peak", peak.getAsLong() / GIB));
  }

  /** Bytes of the largest resident set, from the lines of {@code /proc/self/status}. */
  static OptionalLong peakMemory(List<String> status) {
    return status.stream().filter(line -> line.matches("VmHWM:\\s+\\d+ kB"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).findFirst();
  }
}
