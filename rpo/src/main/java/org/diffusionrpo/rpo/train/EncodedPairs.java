package org.diffusionrpo.rpo.train;

import java.util.List;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.tensor.Shape;

/**
 * Preference pairs as training needs them: images as moments of the autoencoder with their sizes and crops,
 * captions as text embeddings, both as CLIP embeddings. Made once by {@link PairEncoder} and kept in memory.
 *
 * @param latentShape [h, w, Z]
 * @param contextShape [L, X]
 * @param winners moments [h, w, 2 Z] of the preferred images
 * @param losers moments of the rejected images
 * @param winnerTimeIds size and crop of the preferred images, which SDXL is told
 * @param loserTimeIds likewise
 * @param texts embedding of each caption
 * @param emptyText embedding of the empty prompt, for caption dropout
 * @param winnerImages unit-length CLIP embeddings; empty when the objective reads none
 * @param loserImages likewise
 * @param prompts unit-length CLIP embeddings of the captions; empty when the objective reads none
 */
public record EncodedPairs(Shape latentShape, Shape contextShape, List<float[]> winners, List<float[]> losers,
    List<TimeIds> winnerTimeIds, List<TimeIds> loserTimeIds, List<TextEmbedding> texts, TextEmbedding emptyText,
    List<double[]> winnerImages, List<double[]> loserImages, List<double[]> prompts) {
  public int size() {
    return winners.size();
  }
}
