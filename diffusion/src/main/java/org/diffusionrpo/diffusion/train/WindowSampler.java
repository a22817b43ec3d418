package org.diffusionrpo.diffusion.train;

import java.util.Arrays;
import org.diffusionrpo.tensor.Philox;

/**
 * Every item once per epoch, for items that lie in blocks of which few fit into memory: the blocks are shuffled, and the
 * items of each window of some consecutive blocks are shuffled among each other. The order depends on (seed, epoch)
 * alone, and finding a batch takes no look at those before it. Items are numbered block after block.
 */
public final class WindowSampler implements BatchOrder {
  private final long seed;
  private final int[] starts;
  private final int window;
  private final int batch;
  private long cachedEpoch = -1;
  private int[] blocks;
  private int[] windowStarts;
  private int cachedWindow;
  private int[] order;

  /**
   * @param blockSizes items in each block
   * @param window blocks whose items mix
   */
  public WindowSampler(long seed, int[] blockSizes, int window, int batch) {
    if (blockSizes.length == 0 || window < 1 || batch < 1 || Arrays.stream(blockSizes).anyMatch(size -> size < 1)) {
      throw new IllegalArgumentException(
          "batches of " + batch + " from windows of " + window + " of " + blockSizes.length + " blocks");
    }
    this.seed = seed;
    this.starts = starts(blockSizes);
    this.window = window;
    this.batch = batch;
  }

  @Override
  public int[] batch(int step) {
    int[] chosen = new int[batch];
    for (int i = 0; i < batch; i++) {
      int items = starts[starts.length - 1];
      chosen[i] = item(epoch(step, i), (int) (((long) step * batch + i) % items));
    }
    return chosen;
  }

  @Override
  public long epoch(int step, int place) {
    return ((long) step * batch + place) / starts[starts.length - 1];
  }

  private int item(long epoch, int position) {
    if (epoch != cachedEpoch) {
      shuffleBlocks(epoch);
    }
    int found = Arrays.binarySearch(windowStarts, position);
    int at = found >= 0 ? found : -found - 2;
    if (at != cachedWindow) {
      shuffleWindow(at);
    }
    return order[position - windowStarts[at]];
  }

  private void shuffleBlocks(long epoch) {
    blocks = Philox.stream(seed, "shuffle blocks", epoch).permutation(starts.length - 1);
    int[] sizes = new int[(blocks.length + window - 1) / window];
    for (int i = 0; i < blocks.length; i++) {
      sizes[i / window] += starts[blocks[i] + 1] - starts[blocks[i]];
    }
    windowStarts = starts(sizes);
    cachedEpoch = epoch;
    cachedWindow = -1;
  }

  private void shuffleWindow(int at) {
    int[] items = new int[windowStarts[at + 1] - windowStarts[at]];
    int count = 0;
    for (int i = at * window; i < Math.min(blocks.length, (at + 1) * window); i++) {
      for (int item = starts[blocks[i]]; item < starts[blocks[i] + 1]; item++) {
        items[count++] = item;
      }
    }
    int[] shuffled = Philox.stream(seed, "shuffle window", cachedEpoch * windowStarts.length + at).permutation(count);
    order = Arrays.stream(shuffled).map(i -> items[i]).toArray();
    cachedWindow = at;
  }

  private static int[] starts(int[] sizes) {
    int[] starts = new int[sizes.length + 1];
    for (int i = 0; i < sizes.length; i++) {
      starts[i + 1] = Math.addExact(starts[i], sizes[i]);
    }
    return starts;
  }
}
