package org.diffusionrpo.diffusion.pipeline;

import org.diffusionrpo.diffusion.unet.TimeIds;

/**
 * What SDXL shall take a picture for: cut out of an original of this size, which had been resized first. A small
 * original asks for the blur of an enlarged picture, a crop for an object that is cut off at the side. In pixels.
 *
 * @param width of the original; 0 for the picture's own
 * @param height as width
 * @param cropLeft left side of the crop
 * @param cropTop upper side of the crop
 */
public record PictureOrigin(int width, int height, int cropLeft, int cropTop) {
  /** The truth about a drawn picture. */
  public static final PictureOrigin SELF = new PictureOrigin(0, 0, 0, 0);

  public PictureOrigin {
    if (width < 0 || height < 0 || cropLeft < 0 || cropTop < 0) {
      throw new IllegalArgumentException("an original of " + width + " x " + height + " pixels, cropped at " + cropLeft
          + ", " + cropTop + ": expected no negative number");
    }
  }

  TimeIds timeIds(int targetHeight, int targetWidth) {
    return new TimeIds(height == 0 ? targetHeight : height, width == 0 ? targetWidth : width, cropTop, cropLeft,
        targetHeight, targetWidth);
  }
}
