package org.diffusionrpo.kernels.cpu;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** A thread that helps with one job after the other. It waits awake for a moment, since kernels follow each other. */
final class ParallelWorker extends Thread {
  /** Turns of waiting before the thread sleeps; about 50 us, the pause between two kernels of a network. */
  private static final int SPINS = 5000;

  private final AtomicReference<ParallelJob> job = new AtomicReference<>();

  private ParallelWorker(int number) {
    super("drpo-kernel-" + number);
    setDaemon(true);
  }

  static ParallelWorker[] start(int count) {
    ParallelWorker[] workers = new ParallelWorker[count];
    for (int i = 0; i < count; i++) {
      workers[i] = new ParallelWorker(i + 1);
      workers[i].start();
    }
    return workers;
  }

  /** Hands over a job; one that the worker has not begun is forgotten, since its caller has finished it alone. */
  void take(ParallelJob next) {
    job.set(next);
    LockSupport.unpark(this);
  }

  @Override
  public void run() {
    while (true) {
      ParallelJob next = job.getAndSet(null);
      for (int spin = 0; next == null && spin < SPINS; spin++) {
        Thread.onSpinWait();
        next = job.get() == null ? null : job.getAndSet(null);
      }
      if (next == null) {
        LockSupport.park(this);
      } else {
        next.work();
      }
    }
  }
}
