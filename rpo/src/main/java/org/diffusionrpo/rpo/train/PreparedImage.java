package org.diffusionrpo.rpo.train;

import java.io.IOException;
import org.diffusionrpo.diffusion.image.Crops;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.Resize;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.unet.TimeIds;

/** A square picture as training takes it, with what SDXL is told about its size and crop. */
record PreparedImage(RgbImage image, TimeIds timeIds) {
  /**
   * Resize of the short side (Pillow's bilinear) and centre crop, as Diffusion-DPO's script. The time ids are those of
   * diffusers' script for SDXL: size of the original, crop in the resized picture, size of the crop; each picture has
   * its own.
   *
   * @param id names the picture in a message
   */
  static PreparedImage of(byte[] encoded, String id, int resolution) throws IOException {
    RgbImage original = ImageCodec.decode(encoded, id);
    RgbImage resized = Resize.shortSide(original, resolution, Resize.Filter.BILINEAR);
    TimeIds timeIds = new TimeIds(original.height(), original.width(),
        Crops.centerOffset(resized.height(), resolution), Crops.centerOffset(resized.width(), resolution),
        resolution, resolution);
    return new PreparedImage(Crops.center(resized, resolution, resolution), timeIds);
  }
}
