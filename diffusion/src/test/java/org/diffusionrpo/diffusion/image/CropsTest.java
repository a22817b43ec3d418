package org.diffusionrpo.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class CropsTest {
  /** Pixel (x, y) is (10 x, 10 y, 7). */
  private static RgbImage coordinates(int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    for (int i = 0; i < width * height; i++) {
      rgb[3 * i] = (byte) (10 * (i % width));
      rgb[3 * i + 1] = (byte) (10 * (i / width));
      rgb[3 * i + 2] = 7;
    }
    return new RgbImage(width, height, rgb);
  }

  @Test void aCropStartsAtItsCorner() {
    assertArrayEquals(new byte[] {20, 10, 7, 30, 10, 7}, Crops.crop(coordinates(4, 3), 2, 1, 2, 1).rgb());
  }

  @Test void anOddMarginLeavesTheSmallerHalfAtLeftAndTop() {
    assertArrayEquals(new byte[] {10, 0, 7, 20, 0, 7}, Crops.center(coordinates(5, 2), 2, 1).rgb());
  }

  @Test void aFlipMirrorsEachRow() {
    assertArrayEquals(new byte[] {20, 0, 7, 10, 0, 7, 0, 0, 7}, Crops.flip(coordinates(3, 1)).rgb());
  }

  @Test void aCropOutsideThePictureIsRefused() {
    RgbImage image = coordinates(4, 3);
    assertThrows(IllegalArgumentException.class, () -> Crops.crop(image, 3, 0, 2, 1));
    assertThrows(IllegalArgumentException.class, () -> Crops.crop(image, -1, 0, 2, 1));
    assertThrows(IllegalArgumentException.class, () -> Crops.center(image, 5, 3));
  }
}
