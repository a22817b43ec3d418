package org.diffusionrpo.rpo.data;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.diffusionrpo.kernels.cpu.Parallel;

/**
 * Goes once through the entries of blocks in their order, while other threads read the next block and work on the next
 * entries. At most two blocks and {@value #AHEAD} worked entries are in memory. What it yields does not depend on the
 * number of threads.
 *
 * @param <T> what the work makes of an entry
 */
public final class PairReader<T> implements Closeable {
  /** Entries that are worked on or wait to be taken: enough to keep the threads busy. The work returns little. */
  private static final int AHEAD = 32;

  private final Iterator<PairBlock> blocks;
  private final Function<PairEntry, T> work;
  private final ExecutorService threads = BackgroundThreads.pool("drpo-pairs", Parallel.threads() + 1);
  private final Deque<Future<T>> ahead = new ArrayDeque<>();
  private Future<List<PairEntry>> next;
  private Iterator<PairEntry> entries = List.<PairEntry>of().iterator();

  /** @param work a pure function, such as {@link DecodedEntry#of}; runs on several threads */
  public PairReader(List<PairBlock> blocks, Function<PairEntry, T> work) {
    this.blocks = blocks.iterator();
    this.work = work;
    readAhead();
  }

  public boolean hasNext() throws IOException {
    fill();
    return !ahead.isEmpty();
  }

  /** The next entry after the work. */
  public T next() throws IOException {
    fill();
    return BackgroundThreads.await(ahead.remove());
  }

  private void fill() throws IOException {
    while (ahead.size() < AHEAD && advance()) {
      PairEntry entry = entries.next();
      ahead.add(threads.submit(() -> work.apply(entry)));
    }
  }

  /** Makes the next block the present one where this one is at its end; false at the end of all. */
  private boolean advance() throws IOException {
    while (!entries.hasNext() && next != null) {
      entries = BackgroundThreads.await(next).iterator();
      readAhead();
    }
    return entries.hasNext();
  }

  private void readAhead() {
    next = blocks.hasNext() ? threads.submit(blocks.next()::read) : null;
  }

  @Override public void close() {
    threads.shutdownNow();
  }
}
