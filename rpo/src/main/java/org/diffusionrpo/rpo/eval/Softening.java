package org.diffusionrpo.rpo.eval;

import org.diffusionrpo.diffusion.image.RgbImage;

/** A 3 x 3 box filter: about the detail that a small VAE decoder loses. */
final class Softening {
  private Softening() {}

  static RgbImage apply(RgbImage image) {
    int width = image.width();
    int height = image.height();
    byte[] soft = new byte[image.rgb().length];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) {
          int sum = 0;
          for (int k = 0; k < 9; k++) {
            int row = Math.min(Math.max(y + k / 3 - 1, 0), height - 1);
            int column = Math.min(Math.max(x + k % 3 - 1, 0), width - 1);
            sum += image.rgb()[3 * (row * width + column) + c] & 0xFF;
          }
          soft[3 * (y * width + x) + c] = (byte) ((sum + 4) / 9);
        }
      }
    }
    return new RgbImage(width, height, soft);
  }
}
