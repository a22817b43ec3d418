package org.diffusionrpo.kernels.cpu;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;

/**
 * Runs numbered tasks on a fixed set of threads. The caller cuts the work into tasks whose borders depend on the
 * problem alone, never on the number of threads; so a sum inside one task has one order on every machine.
 */
public final class Parallel {
  /** Below this many elements an elementwise kernel stays on the calling thread: waking another costs about 5 us. */
  static final int GRAIN = 16 * 1024;

  private static final int THREADS = threads(System.getProperty("drpo.threads"));
  private static final ParallelWorker[] WORKERS = ParallelWorker.start(THREADS - 1);

  /** True while some caller has the workers; whoever comes second, or from inside a task, works alone. */
  private static final AtomicBoolean BUSY = new AtomicBoolean();

  private Parallel() {}

  /** Threads that take part in a kernel, the caller among them. Set with {@code -Ddrpo.threads=N}. */
  public static int threads() {
    return THREADS;
  }

  /**
   * Calls {@code task} once for each of 0 .. tasks - 1, in no particular order, and returns when all are done.
   * If tasks throw, one of the exceptions is thrown here. Calls from inside a task run on the calling thread.
   */
  public static void run(int tasks, IntConsumer task) {
    int helpers = Math.min(THREADS, tasks) - 1;
    if (helpers <= 0 || !BUSY.compareAndSet(false, true)) {
      for (int i = 0; i < tasks; i++) {
        task.accept(i);
      }
      return;
    }
    try {
      ParallelJob job = new ParallelJob(tasks, task);
      for (int i = 0; i < helpers; i++) {
        WORKERS[i].take(job);
      }
      job.work();
      job.await();
    } finally {
      BUSY.set(false);
    }
  }

  /** Splits [0, length) into ranges of {@code grain} elements (the last may be shorter) and runs one task per range. */
  static void ranges(int length, int grain, RangeTask task) {
    if (length <= grain) {
      task.run(0, length);
      return;
    }
    int tasks = (int) (((long) length + grain - 1) / grain);
    run(tasks, i -> task.run(i * grain, (int) Math.min(length, (i + 1L) * grain)));
  }

  /** Work on the elements [from, to). */
  @FunctionalInterface
  interface RangeTask {
    void run(int from, int to);
  }

  private static int threads(String wish) {
    if (wish == null) {
      return Runtime.getRuntime().availableProcessors();
    }
    if (!wish.matches("[1-9][0-9]{0,3}")) {
      throw new IllegalArgumentException("-Ddrpo.threads=" + wish + ": expected a number from 1 to 9999");
    }
    return Integer.parseInt(wish);
  }
}
