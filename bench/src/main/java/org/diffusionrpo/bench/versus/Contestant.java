package org.diffusionrpo.bench.versus;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The child process of {@link Versus}: times one row on one side and prints {@code seconds peakBytes}. */
final class Contestant {
  /** Whole networks compile much code in their first runs. */
  static final int NETWORK_WARM_UP_RUNS = 2;

  private Contestant() {}

  /** Arguments: side, row, seconds of warm-up and of measurement each. */
  public static void main(String[] args) throws IOException {
    Row row = Rows.named(args[1]);
    double seconds = Double.parseDouble(args[2]);
    Runnable run = row.prepare(Side.valueOf(args[0]).worker());
    repeat(run, seconds, row.isWholeNetwork() ? NETWORK_WARM_UP_RUNS : 1);
    double median = Statistics.median(repeat(run, seconds, 1));
    System.out.println(median + " " + peakMemory());
    System.exit(0); // libraries' threads may outlive main
  }

  /** Seconds of each run. */
  static double[] repeat(Runnable run, double seconds, int leastRuns) {
    List<Double> times = new ArrayList<>();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    do {
      long start = System.nanoTime();
      run.run();
      times.add((System.nanoTime() - start) * 1e-9);
    } while (times.size() < leastRuns || System.nanoTime() < end);
    return times.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** The largest resident set of this process in bytes, Java's own included; 0 where the system does not tell. */
  private static long peakMemory() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream().filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElse(0);
  }
}
