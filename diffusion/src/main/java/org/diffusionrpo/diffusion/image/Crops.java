package org.diffusionrpo.diffusion.image;

/** Parts and mirror images of pictures; nothing is resampled. */
public final class Crops {
  private Crops() {}

  /** The rectangle whose top left corner is ({@code left}, {@code top}); it must lie inside the picture. */
  public static RgbImage crop(RgbImage image, int left, int top, int width, int height) {
    if (left < 0 || top < 0 || width < 1 || height < 1
        || width > image.width() - left || height > image.height() - top) {
      throw new IllegalArgumentException("no " + width + " x " + height + " crop at (" + left + ", " + top
          + ") in a picture of " + image.width() + " x " + image.height());
    }
    byte[] rgb = new byte[3 * width * height];
    for (int y = 0; y < height; y++) {
      System.arraycopy(image.rgb(), 3 * ((top + y) * image.width() + left), rgb, 3 * y * width, 3 * width);
    }
    return new RgbImage(width, height, rgb);
  }

  /** The middle; an odd margin leaves the smaller half at the left and at the top. */
  public static RgbImage center(RgbImage image, int width, int height) {
    return crop(image, centerOffset(image.width(), width), centerOffset(image.height(), height), width, height);
  }

  /** Where the middle {@code part} of {@code size} pixels begins. */
  public static int centerOffset(int size, int part) {
    return Math.floorDiv(size - part, 2);
  }

  /** Mirrors left and right. */
  public static RgbImage flip(RgbImage image) {
    byte[] rgb = new byte[image.rgb().length];
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        int from = 3 * (y * image.width() + x);
        int to = 3 * (y * image.width() + image.width() - 1 - x);
        System.arraycopy(image.rgb(), from, rgb, to, 3);
      }
    }
    return new RgbImage(image.width(), image.height(), rgb);
  }
}
