package org.diffusionrpo.diffusion.train;

import org.diffusionrpo.tensor.Philox;

/**
 * Which items make up a batch: every item once per epoch, in an order that depends on (seed, epoch) alone; or, where a
 * batch must not hold an item twice, as many of them as fill whole batches. Any batch can be asked for at once, so a
 * resumed run replays nothing.
 */
public final class BatchSampler implements BatchOrder {
  private final long seed;
  private final int items;
  private final int batch;
  private final int perEpoch;
  private long cachedEpoch = -1;
  private int[] order;

  /** Every item once per epoch; a batch may span two epochs and then hold an item of both. */
  public BatchSampler(long seed, int items, int batch) {
    this(seed, items, batch, items);
  }

  private BatchSampler(long seed, int items, int batch, int perEpoch) {
    if (items < 1 || batch < 1) {
      throw new IllegalArgumentException("a batch of " + batch + " from " + items + " items");
    }
    this.seed = seed;
    this.items = items;
    this.batch = batch;
    this.perEpoch = perEpoch;
  }

  /** No item twice in a batch: the last items of an epoch that fill no batch are left out of it. */
  public static BatchSampler withoutRepeats(long seed, int items, int batch) {
    if (batch > items) {
      throw new IllegalArgumentException("a batch of " + batch + " different items from " + items);
    }
    return new BatchSampler(seed, items, batch, batch < 1 ? 0 : items / batch * batch);
  }

  @Override
  public int[] batch(int step) {
    int[] chosen = new int[batch];
    for (int i = 0; i < batch; i++) {
      long position = (long) step * batch + i;
      chosen[i] = order(position / perEpoch)[(int) (position % perEpoch)];
    }
    return chosen;
  }

  @Override
  public long epoch(int step, int place) {
    return ((long) step * batch + place) / perEpoch;
  }

  private int[] order(long epoch) {
    if (epoch != cachedEpoch) {
      order = Philox.stream(seed, "shuffle", epoch).permutation(items);
      cachedEpoch = epoch;
    }
    return order;
  }
}
