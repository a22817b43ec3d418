package org.diffusionrpo.diffusion.unet;

/**
 * What SDXL is told about a picture: the size of its original, where it was cropped, and the size it was cropped to.
 * Podell et al. 2023, arXiv:2307.01952, section 2.2. All in pixels; the crop's top left corner is counted after
 * resizing.
 */
public record TimeIds(int originalHeight, int originalWidth, int cropTop, int cropLeft, int targetHeight,
    int targetWidth) {
  /** A picture that was neither resized nor cropped. */
  public static TimeIds of(int height, int width) {
    return new TimeIds(height, width, 0, 0, height, width);
  }

  /** In the order of diffusers' {@code add_time_ids}. */
  float[] toArray() {
    return new float[] {originalHeight, originalWidth, cropTop, cropLeft, targetHeight, targetWidth};
  }
}
