package org.diffusionrpo.diffusion.train;

/** Which items make up each batch of a training run; any batch can be asked for at once. */
public interface BatchOrder {
  /** Items of batch {@code step} = 0, 1, ... */
  int[] batch(int step);

  /** How often the items had all been seen before the one at this place of a batch. */
  long epoch(int step, int place);
}
