package org.diffusionrpo.rpo.train;

import java.util.List;
import org.diffusionrpo.tensor.Shape;

/**
 * Preference pairs as training needs them: images as moments of the autoencoder, captions as text contexts, both as
 * CLIP embeddings. Made once by {@link PairEncoder} and kept in memory.
 *
 * @param latentShape [h, w, Z]
 * @param contextShape [L, X]
 * @param winners moments [h, w, 2 Z] of the preferred images
 * @param losers moments of the rejected images
 * @param contexts last hidden state of each caption
 * @param emptyContext last hidden state of the empty prompt, for caption dropout
 * @param winnerImages unit-length CLIP embeddings; empty when the objective reads none
 * @param loserImages likewise
 * @param prompts unit-length CLIP embeddings of the captions; empty when the objective reads none
 */
public record EncodedPairs(Shape latentShape, Shape contextShape, List<float[]> winners, List<float[]> losers,
    List<float[]> contexts, float[] emptyContext, List<double[]> winnerImages, List<double[]> loserImages,
    List<double[]> prompts) {
  public int size() {
    return winners.size();
  }
}
