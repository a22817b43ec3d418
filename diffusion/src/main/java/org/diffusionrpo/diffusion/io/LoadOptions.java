package org.diffusionrpo.diffusion.io;

import org.diffusionrpo.tensor.Storage;

/**
 * How a model's weights are kept in memory.
 *
 * @param unet storage of the UNet's matrices; {@link Storage#F32} if it shall be trained
 * @param frozen storage of the matrices of VAE and text encoder
 * @param checkpointing recompute the UNet's activations in backward: less memory, more time
 */
public record LoadOptions(Storage unet, Storage frozen, boolean checkpointing) {
  /** Everything in float. */
  public static final LoadOptions F32 = new LoadOptions(Storage.F32, Storage.F32, false);
}
