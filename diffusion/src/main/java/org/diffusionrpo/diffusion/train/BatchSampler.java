package org.diffusionrpo.diffusion.train;

import org.diffusionrpo.tensor.Philox;

/**
 * Which items make up a batch: every item once per epoch, in an order that depends on (seed, epoch) alone. Any batch
 * can be asked for at once, so a resumed run replays nothing.
 */
public final class BatchSampler {
  private final long seed;
  private final int items;
  private final int batch;
  private long cachedEpoch = -1;
  private int[] order;

  public BatchSampler(long seed, int items, int batch) {
    if (items < 1 || batch < 1) {
      throw new IllegalArgumentException("a batch of " + batch + " from " + items + " items");
    }
    this.seed = seed;
    this.items = items;
    this.batch = batch;
  }

  /** Items of batch {@code step} = 0, 1, ...; a batch may span two epochs. */
  public int[] batch(int step) {
    int[] chosen = new int[batch];
    for (int i = 0; i < batch; i++) {
      long position = (long) step * batch + i;
      chosen[i] = order(position / items)[(int) (position % items)];
    }
    return chosen;
  }

  private int[] order(long epoch) {
    if (epoch != cachedEpoch) {
      order = Philox.stream(seed, "shuffle", epoch).permutation(items);
      cachedEpoch = epoch;
    }
    return order;
  }
}
