package org.diffusionrpo.rpo.train;

import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.tensor.Shape;

/**
 * Pairs that were encoded once by {@link PairEncoder}, in float32.
 *
 * @param pairs of the pictures as they are
 * @param flipped the same pairs of the mirrored pictures; empty when none is mirrored
 */
public record PairsInMemory(Shape latentShape, Shape contextShape, TextEmbedding emptyText, List<EncodedPair> pairs,
    List<EncodedPair> flipped) implements EncodedPairs {
  @Override
  public int size() {
    return pairs.size();
  }

  @Override
  public List<EncodedPair> get(int[] items, View[] views) {
    List<EncodedPair> chosen = new ArrayList<>();
    for (int i = 0; i < items.length; i++) {
      chosen.add((views[i].flip() ? flipped : pairs).get(items[i]));
    }
    return chosen;
  }
}
