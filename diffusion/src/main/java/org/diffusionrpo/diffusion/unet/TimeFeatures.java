package org.diffusionrpo.diffusion.unet;

import org.diffusionrpo.tensor.Tensor;

/**
 * The numbers that the UNet is told of its samples, as its first layers read them. The host computes the sinusoids; so
 * these are inputs of a forward pass that is repeated, see {@link UNet2DConditionModel#timeFeatures}.
 *
 * @param timesteps [N, C]: sinusoids of the timesteps, C the channels of the first level
 * @param added [N, E + 6 D]: SDXL's pooled text embedding, then the sinusoids of its six numbers; null for a model
 *     without them
 */
public record TimeFeatures(Tensor timesteps, Tensor added) {}
