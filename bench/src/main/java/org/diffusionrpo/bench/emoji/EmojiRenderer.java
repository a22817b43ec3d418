package org.diffusionrpo.bench.emoji;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.Resize;
import org.diffusionrpo.diffusion.image.RgbImage;

/**
 * Draws a source file, PNG, WebP or SVG, as 64 x 64 RGB on white. Larger sources are first put on white and then
 * averaged over areas, which equals averaging premultiplied colours.
 */
final class EmojiRenderer {
  static final int SIZE = 64;
  private static final byte WHITE = (byte) 255;

  private EmojiRenderer() {}

  static RgbImage render(Path source) throws IOException {
    RgbImage image = source.toString().endsWith(".svg") ? OpenMojiSvg.draw(source) : ImageCodec.read(source);
    return Resize.resize(square(image), SIZE, SIZE, Resize.Filter.BOX);
  }

  /** Pads the shorter side with white; some of Fluent's pictures are a little taller or wider than 256. */
  private static RgbImage square(RgbImage image) {
    int side = Math.max(image.width(), image.height());
    if (side == Math.min(image.width(), image.height())) {
      return image;
    }
    byte[] rgb = new byte[3 * side * side];
    Arrays.fill(rgb, WHITE);
    int left = (side - image.width()) / 2;
    int top = (side - image.height()) / 2;
    int stride = 3 * image.width();
    for (int y = 0; y < image.height(); y++) {
      System.arraycopy(image.rgb(), y * stride, rgb, 3 * ((top + y) * side + left), stride);
    }
    return new RgbImage(side, side, rgb);
  }
}
