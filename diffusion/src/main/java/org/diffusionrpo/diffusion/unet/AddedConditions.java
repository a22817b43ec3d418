package org.diffusionrpo.diffusion.unet;

import org.diffusionrpo.tensor.Tensor;

/**
 * SDXL's extra conditions.
 *
 * @param textEmbeds [N, E]: pooled and projected embedding of the second text encoder
 * @param timeIds N times (original height, width, crop top, left, target height, width)
 */
public record AddedConditions(Tensor textEmbeds, float[][] timeIds) {}
