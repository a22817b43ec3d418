package org.diffusionrpo.tensor;

/**
 * Stride and zero padding of a 2-d convolution; its kernel size is the weight's. The VAE's encoder pads only at the
 * bottom and the right, so the four sides are separate.
 */
public record Conv2dGeometry(int stride, int padTop, int padLeft, int padBottom, int padRight) {
  public Conv2dGeometry {
    if (stride < 1 || padTop < 0 || padLeft < 0 || padBottom < 0 || padRight < 0) {
      throw new IllegalArgumentException("convolution: stride " + stride + " and padding " + padTop + ", " + padLeft
          + ", " + padBottom + ", " + padRight + ": expected a stride of 1 or more and no negative padding");
    }
  }

  /** The same padding on all four sides. */
  public static Conv2dGeometry of(int stride, int padding) {
    return new Conv2dGeometry(stride, padding, padding, padding, padding);
  }

  /** Below 1 when the kernel is larger than the padded image. */
  public int outHeight(int height, int kernel) {
    return Math.floorDiv(height + padTop + padBottom - kernel, stride) + 1;
  }

  public int outWidth(int width, int kernel) {
    return Math.floorDiv(width + padLeft + padRight - kernel, stride) + 1;
  }
}
