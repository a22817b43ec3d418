package org.diffusionrpo.diffusion.unet;

/**
 * A prompt as the UNet takes it.
 *
 * @param context hidden states of the text encoders [L, X], flat
 * @param pooled the projected embedding of SDXL's second text encoder [E]; null for a model with one text encoder
 */
public record TextEmbedding(float[] context, float[] pooled) {
  /** Of a model with one text encoder. */
  public TextEmbedding(float[] context) {
    this(context, null);
  }
}
