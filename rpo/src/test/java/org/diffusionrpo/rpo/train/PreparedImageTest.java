package org.diffusionrpo.rpo.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreparedImageTest {
  /** The first is resized to 10 x 20; the margins of 10 and 15 pixels leave 5 and 7 at the smaller side. */
  @ParameterizedTest
  @CsvSource({"30, 60, 5, 0", "25, 10, 0, 7", "10, 10, 0, 0"})
  void timeIdsAreTheOriginalsSizeTheCropAfterResizingAndTheResult(int width, int height, int top, int left) {
    RgbImage picture = new RgbImage(width, height, new byte[3 * width * height]);
    PreparedImage prepared = PreparedImage.of(picture, 10, View.PLAIN);
    assertEquals(new TimeIds(height, width, top, left, 10, 10), prepared.timeIds());
    assertEquals("10x10", prepared.image().width() + "x" + prepared.image().height());
  }

  @ParameterizedTest
  @CsvSource({"25, 10", "10, 27"})
  void croppedPixelsLieWhereTheTimeIdsSay(int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    for (int i = 0; i < width * height; i++) {
      rgb[3 * i] = (byte) (i % width);
      rgb[3 * i + 1] = (byte) (i / width);
    }
    PreparedImage prepared = PreparedImage.of(new RgbImage(width, height, rgb), 10, View.PLAIN);
    byte[] cropped = prepared.image().rgb();
    assertEquals(prepared.timeIds().cropLeft(), cropped[0]);
    assertEquals(prepared.timeIds().cropTop(), cropped[1]);
  }
}
