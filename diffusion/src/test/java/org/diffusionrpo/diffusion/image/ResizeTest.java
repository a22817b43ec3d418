package org.diffusionrpo.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResizeTest {
  /** The picture that the expected checksums were made from, by Pillow 12.3's {@code Image.resize}. */
  private static RgbImage pattern(int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) {
          rgb[3 * (y * width + x) + c] = (byte) (x * 37 + y * 101 + c * 59 + x * y * 7 + x / 3 * 90);
        }
      }
    }
    return new RgbImage(width, height, rgb);
  }

  @ParameterizedTest
  @CsvSource({
      "BOX, 13, 9, 5, 4, d86f0d23",
      "BOX, 13, 9, 29, 17, 200f9276",
      "BOX, 64, 48, 7, 11, 4e06c315",
      "BOX, 31, 47, 31, 12, 4c54ba5a",
      "BOX, 640, 3, 224, 3, 0fb76d0c",
      "BOX, 50, 37, 64, 64, 611f0825",
      "BILINEAR, 13, 9, 5, 4, 3b8f72dc",
      "BILINEAR, 13, 9, 29, 17, 4178b36c",
      "BILINEAR, 64, 48, 7, 11, 3ec0e394",
      "BILINEAR, 31, 47, 31, 12, aecd9d31",
      "BILINEAR, 640, 3, 224, 3, 03863a05",
      "BILINEAR, 50, 37, 64, 64, a070fd9b",
      "BICUBIC, 13, 9, 5, 4, 95deada1",
      "BICUBIC, 13, 9, 29, 17, 7a18ac80",
      "BICUBIC, 64, 48, 7, 11, af1eaa65",
      "BICUBIC, 31, 47, 31, 12, 96ff60ca",
      "BICUBIC, 640, 3, 224, 3, 721674dd",
      "BICUBIC, 50, 37, 64, 64, 759395d0"})
  void everyBitIsPillows(
      Resize.Filter filter, int width, int height, int outWidth, int outHeight, String checksum) {
    CRC32 crc = new CRC32();
    crc.update(Resize.resize(pattern(width, height), outWidth, outHeight, filter).rgb());
    assertEquals(checksum, String.format("%08x", crc.getValue()));
  }

  @Test void theSameSizeChangesNothing() {
    RgbImage image = pattern(7, 5);
    assertSame(image.rgb(), Resize.resize(image, 7, 5, Resize.Filter.BICUBIC).rgb());
  }

  @Test void theShortSideDecides() {
    RgbImage tall = Resize.shortSide(pattern(30, 50), 20, Resize.Filter.BILINEAR);
    assertArrayEquals(new int[] {20, 33}, new int[] {tall.width(), tall.height()});
    RgbImage wide = Resize.shortSide(pattern(50, 30), 20, Resize.Filter.BILINEAR);
    assertArrayEquals(new int[] {33, 20}, new int[] {wide.width(), wide.height()});
  }

  @Test void anEmptySizeIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Resize.resize(pattern(3, 3), 0, 3, Resize.Filter.BOX));
  }
}
