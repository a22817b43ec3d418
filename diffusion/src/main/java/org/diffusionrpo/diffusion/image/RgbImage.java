package org.diffusionrpo.diffusion.image;

/**
 * An 8-bit RGB picture in memory.
 *
 * @param rgb [height, width, 3], row-major, one byte per channel, length {@code 3 * width * height}
 */
public record RgbImage(int width, int height, byte[] rgb) {
  public RgbImage {
    if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
      throw new IllegalArgumentException(
          "an RGB image of " + width + " x " + height + " needs " + 3L * width * height + " bytes, got " + rgb.length);
    }
  }
}
