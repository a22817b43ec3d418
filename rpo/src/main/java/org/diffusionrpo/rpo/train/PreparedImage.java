package org.diffusionrpo.rpo.train;

import org.diffusionrpo.diffusion.image.Crops;
import org.diffusionrpo.diffusion.image.Resize;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.unet.TimeIds;

/** A square picture as training takes it, with what SDXL is told about its size and crop. */
record PreparedImage(RgbImage image, TimeIds timeIds) {
  /** Names what {@link #of} does; part of the keys of caches. */
  static final String TRANSFORM = "short side, Pillow's bilinear, centre crop";

  /**
   * Resize of the short side (Pillow's bilinear) and crop, as Diffusion-DPO's script. The time ids are those of
   * diffusers' script for SDXL: size of the original, crop in the resized picture, size of the crop; each picture has
   * its own.
   */
  static PreparedImage of(RgbImage original, int resolution, View view) {
    RgbImage resized = Resize.shortSide(original, resolution, Resize.Filter.BILINEAR);
    int left = View.offset(view.left(), resized.width(), resolution);
    int top = View.offset(view.top(), resized.height(), resolution);
    TimeIds timeIds = new TimeIds(original.height(), original.width(), top, left, resolution, resolution);
    RgbImage square = Crops.crop(resized, left, top, resolution, resolution);
    return new PreparedImage(view.flip() ? Crops.flip(square) : square, timeIds);
  }

  PreparedImage flipped() {
    return new PreparedImage(Crops.flip(image), timeIds);
  }
}
