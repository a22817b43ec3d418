package org.diffusionrpo.rpo.train;

import org.diffusionrpo.diffusion.unet.TimeIds;

/**
 * A picture as training needs it.
 *
 * @param moments of the autoencoder [h, w, 2 Z]
 * @param timeIds size and crop, which SDXL is told
 * @param embedding unit-length CLIP embedding of the picture as it is, not mirrored; null when the objective reads none
 */
public record EncodedImage(float[] moments, TimeIds timeIds, double[] embedding) {}
