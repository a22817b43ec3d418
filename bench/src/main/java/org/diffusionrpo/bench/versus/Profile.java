package org.diffusionrpo.bench.versus;

import org.diffusionrpo.tensor.cpu.CpuBackend;

/** Where the time of one of our rows goes: each operation of the backend, in one process. */
final class Profile {
  private static final int SHAPES = 40;

  private Profile() {}

  /** Warms up and measures for {@code seconds} each. */
  static void print(Row row, double seconds) {
    Times times = new Times();
    Runnable run = row.prepare(new OurWorker(TimingBackend.around(new CpuBackend(), times)));
    Contestant.repeat(run, seconds, Contestant.NETWORK_WARM_UP_RUNS);
    times.clear();
    long start = System.nanoTime();
    int runs = Contestant.repeat(run, seconds, 1).length;
    System.out.println(row.name());
    times.table(runs, System.nanoTime() - start, SHAPES).forEach(System.out::println);
  }
}
