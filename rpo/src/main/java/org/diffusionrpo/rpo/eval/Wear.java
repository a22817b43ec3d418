package org.diffusionrpo.rpo.eval;

import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.tensor.Philox;

/**
 * Makes a real picture look as if a small diffusion model had drawn it: softer, with faint noise of pixel size and of a
 * few pixels. A classifier that has seen only clean pictures takes every trace of noise for shading.
 */
final class Wear {
  private Wear() {}

  /** A 3 x 3 box filter: about the detail that a small VAE decoder loses. */
  static RgbImage soften(RgbImage image) {
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

  /**
   * Noise, softening, and fainter noise again.
   *
   * @param deviation of the first noise, in steps of 1/255
   */
  static RgbImage roughen(RgbImage image, double deviation, long seed) {
    Philox random = Philox.stream(seed, "wear", 0);
    return noisy(soften(noisy(image, deviation, random)), deviation / 3, random);
  }

  private static RgbImage noisy(RgbImage image, double deviation, Philox random) {
    byte[] noisy = image.rgb().clone();
    for (int i = 0; i < noisy.length; i++) {
      double value = (noisy[i] & 0xFF) + deviation * random.nextGaussian();
      noisy[i] = (byte) Math.min(Math.max(Math.round(value), 0), 255);
    }
    return new RgbImage(image.width(), image.height(), noisy);
  }
}
