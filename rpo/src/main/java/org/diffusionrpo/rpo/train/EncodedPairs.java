package org.diffusionrpo.rpo.train;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import org.diffusionrpo.diffusion.train.BatchOrder;
import org.diffusionrpo.diffusion.train.BatchSampler;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.tensor.Shape;

/**
 * Preference pairs as training needs them, by number: encoded once and kept in memory ({@link PairsInMemory}) or on
 * disk ({@link CachedPairs}), or encoded whenever an update wants them ({@link StreamedPairs}).
 */
public interface EncodedPairs extends Closeable {
  /** Number of pairs. */
  int size();

  /** [h, w, Z]. */
  Shape latentShape();

  /** [L, X]. */
  Shape contextShape();

  /** Embedding of the empty prompt, for caption dropout. */
  TextEmbedding emptyText();

  /**
   * The pairs of one update.
   *
   * @param views of each item, for both of its pictures
   */
  List<EncodedPair> get(int[] items, View[] views) throws IOException;

  /** Which items make up each update. */
  default BatchOrder order(long seed, int batch) {
    return new BatchSampler(seed, size(), batch);
  }

  /** Says what {@link #get} will be asked for next, so that it may be read ahead. */
  default void announce(int[] items, View[] views) {}

  @Override
  default void close() throws IOException {}
}
