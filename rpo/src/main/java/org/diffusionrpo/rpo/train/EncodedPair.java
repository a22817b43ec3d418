package org.diffusionrpo.rpo.train;

import org.diffusionrpo.diffusion.unet.TextEmbedding;

/**
 * A preference pair as training needs it.
 *
 * @param loser may be null when the objective uses none
 * @param text of the caption
 * @param prompt unit-length CLIP embedding of the caption; null when the objective reads none
 */
public record EncodedPair(EncodedImage winner, EncodedImage loser, TextEmbedding text, double[] prompt) {}
