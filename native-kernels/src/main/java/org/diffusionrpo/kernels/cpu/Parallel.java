package org.diffusionrpo.kernels.cpu;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;

/**
 * Runs numbered tasks on a fixed pool of threads. The caller cuts the work into tasks whose borders depend on the
 * problem alone, never on the number of threads; so a sum inside one task has one order on every machine.
 */
public final class Parallel {
  /** Below this many elements an elementwise kernel stays on the calling thread: waking another costs about 5 us. */
  static final int GRAIN = 16 * 1024;

  private static final int THREADS = threads(System.getProperty("drpo.threads"));
  private static final ExecutorService POOL = Executors.newFixedThreadPool(Math.max(1, THREADS - 1), daemons());

  private Parallel() {}

  /** Threads that take part in a kernel, the caller among them. Set with {@code -Ddrpo.threads=N}. */
  public static int threads() {
    return THREADS;
  }

  /**
   * Calls {@code task} once for each of 0 .. tasks - 1, in no particular order, and returns when all are done.
   * The first exception of a task is thrown here. Calls from inside a task run on the calling thread.
   */
  public static void run(int tasks, IntConsumer task) {
    int helpers = Math.min(THREADS, tasks) - 1;
    if (helpers <= 0 || Thread.currentThread() instanceof Worker) {
      for (int i = 0; i < tasks; i++) {
        task.accept(i);
      }
      return;
    }
    AtomicInteger next = new AtomicInteger();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    CountDownLatch done = new CountDownLatch(helpers);
    Runnable drain = () -> {
      try {
        for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
          task.accept(i);
        }
      } catch (Throwable e) {
        failure.compareAndSet(null, e);
        next.set(tasks);
      }
    };
    for (int i = 0; i < helpers; i++) {
      POOL.execute(() -> {
        drain.run();
        done.countDown();
      });
    }
    drain.run();
    await(done);
    rethrow(failure.get());
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

  private static void await(CountDownLatch done) {
    boolean interrupted = false;
    while (true) {
      try {
        done.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true; // a half-finished kernel is worse than a late interrupt
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void rethrow(Throwable failure) {
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
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

  private static ThreadFactory daemons() {
    AtomicInteger number = new AtomicInteger();
    return task -> new Worker(task, "drpo-kernel-" + number.incrementAndGet());
  }

  /** Marks the pool's threads, so that a nested call does not wait for a pool that waits for it. */
  private static final class Worker extends Thread {
    Worker(Runnable task, String name) {
      super(task, name);
      setDaemon(true);
    }
  }
}
