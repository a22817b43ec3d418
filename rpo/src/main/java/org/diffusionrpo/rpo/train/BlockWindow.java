package org.diffusionrpo.rpo.train;

import java.io.Closeable;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.diffusionrpo.rpo.data.BackgroundThreads;
import org.diffusionrpo.rpo.data.PairBlock;
import org.diffusionrpo.rpo.data.PairEntry;

/** The entries of blocks by number, with the blocks used last in memory: those of the present window and the next. */
final class BlockWindow implements Closeable {
  private static final int READERS = 2;

  private final List<PairBlock> blocks;
  private final int[] starts;
  private final int capacity;
  private final ExecutorService readers = BackgroundThreads.pool("drpo-blocks", READERS);
  /** By number of the block, the one used last at the end. */
  private final Map<Integer, Future<List<PairEntry>>> loaded = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @param window blocks that are used at the same time
   * @param maxBytes of the heap for two windows
   */
  BlockWindow(List<PairBlock> blocks, int window, long maxBytes) throws IOException {
    this.blocks = List.copyOf(blocks);
    this.capacity = 2 * window;
    this.starts = new int[blocks.size() + 1];
    for (int i = 0; i < blocks.size(); i++) {
      starts[i + 1] = Math.addExact(starts[i], blocks.get(i).size());
    }
    long bytes = blocks.stream().mapToLong(block -> -block.bytes()).sorted().limit(capacity).sum();
    if (-bytes > maxBytes) {
      throw new IOException("two windows of " + window + " row groups hold up to " + (-bytes >> 20)
          + " MiB, more than the " + (maxBytes >> 20) + " MiB that half of Java's memory has for them; take a smaller --window or more memory");
    }
  }

  int size() {
    return starts[starts.length - 1];
  }

  int[] blockSizes() {
    return blocks.stream().mapToInt(PairBlock::size).toArray();
  }

  /**
   * The entry that stands in for one which cannot be used: first those of its block, which is in memory, then all
   * others.
   *
   * @param nth from 1 to size - 1; each gives another entry
   */
  int substitute(int item, int nth) {
    int start = starts[block(item)];
    int length = starts[block(item) + 1] - start;
    return nth < length ? start + (item - start + nth) % length : (int) (((long) start + nth) % size());
  }

  /** An entry; reads its block, or waits for it, where it is not in memory. For any thread. */
  PairEntry entry(int item) throws IOException {
    int block = block(item);
    return BackgroundThreads.await(load(block)).get(item - starts[block]);
  }

  /** Begins to read the block of an entry. */
  void announce(int item) {
    load(block(item));
  }

  private synchronized Future<List<PairEntry>> load(int block) {
    Future<List<PairEntry>> entries = loaded.get(block);
    if (entries == null) {
      entries = readers.submit(blocks.get(block)::read);
      loaded.put(block, entries);
      if (loaded.size() > capacity) {
        loaded.remove(loaded.keySet().iterator().next());
      }
    }
    return entries;
  }

  private int block(int item) {
    int found = Arrays.binarySearch(starts, item);
    return found >= 0 ? found : -found - 2;
  }

  @Override
  public void close() {
    readers.shutdownNow();
  }
}
