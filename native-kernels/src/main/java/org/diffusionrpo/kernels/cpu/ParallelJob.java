package org.diffusionrpo.kernels.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * The tasks of one kernel call. It is over when every task has been done, by whomever: a worker that wakes up late finds
 * nothing left and nobody has waited for it.
 */
final class ParallelJob {
  /** Turns of waiting before the thread sleeps; about 20 us, longer than the last task of most small kernels. */
  private static final int SPINS = 2000;

  private final int tasks;
  private final IntConsumer task;
  private final Thread caller = Thread.currentThread();
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger done = new AtomicInteger();
  private volatile Throwable failure;

  ParallelJob(int tasks, IntConsumer task) {
    this.tasks = tasks;
    this.task = task;
  }

  /** Does tasks until none is left. */
  void work() {
    for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
      int finished = 1;
      try {
        task.accept(i);
      } catch (Throwable e) {
        failure = e;
        finished += Math.max(0, tasks - next.getAndSet(tasks)); // those that nobody will begin now
      }
      if (done.addAndGet(finished) == tasks) {
        LockSupport.unpark(caller);
      }
    }
  }

  /** Returns when all tasks are done; throws what a task threw. An interrupt is kept for later. */
  void await() {
    for (int spin = 0; done.get() < tasks && spin < SPINS; spin++) {
      Thread.onSpinWait();
    }
    boolean interrupted = false;
    while (done.get() < tasks) {
      LockSupport.park(this);
      interrupted |= Thread.interrupted(); // a half-finished kernel is worse than a late interrupt
    }
    if (interrupted) {
      caller.interrupt();
    }
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
  }
}
