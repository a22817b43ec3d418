package org.diffusionrpo.diffusion.lora;

import org.diffusionrpo.tensor.io.DType;

/**
 * The change of one module as files hold it: {@code W' = W + strength (alpha / r) B A}.
 *
 * @param component {@code unet}, {@code text_encoder} or {@code text_encoder_2}
 * @param module dotted path of the layer in its component
 * @param down A: [r, in] or, for a convolution, [r, in, kh, kw]
 * @param up B: [out, r] or [out, r, 1, 1]
 * @param alpha r where the file has none
 */
public record LoraLayer(String component, String module, Matrix down, Matrix up, double alpha) {
  /** Values in the layout of files. */
  public record Matrix(DType dtype, int[] dims, float[] values) {}

  public int rank() {
    return down.dims()[0];
  }

  /** {@code alpha / r}. */
  public float scale() {
    return (float) (alpha / rank());
  }
}
