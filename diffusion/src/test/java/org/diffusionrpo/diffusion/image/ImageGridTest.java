package org.diffusionrpo.diffusion.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class ImageGridTest {
  private static RgbImage filled(int width, int height, int value) {
    byte[] rgb = new byte[3 * width * height];
    Arrays.fill(rgb, (byte) value);
    return new RgbImage(width, height, rgb);
  }

  @Test void picturesStandInTheirCellsOnWhite() {
    RgbImage grid = ImageGrid.compose(
        List.of(List.of(filled(3, 2, 50), filled(3, 2, 60)), Arrays.asList(null, filled(1, 1, 70))),
        List.of(), List.of());
    assertEquals(4 + 2 * (3 + 4), grid.width());
    assertEquals(4 + 2 * (2 + 4), grid.height());
    assertArrayEquals(new byte[] {50, 50, 50}, Crops.crop(grid, 4, 4, 1, 1).rgb());
    assertArrayEquals(new byte[] {60, 60, 60}, Crops.crop(grid, 13, 5, 1, 1).rgb());
    assertArrayEquals(filled(3, 2, 255).rgb(), Crops.crop(grid, 4, 10, 3, 2).rgb());
    assertArrayEquals(new byte[] {70, 70, 70}, Crops.crop(grid, 11, 10, 1, 1).rgb());
  }

  @Test void labelsAddInkAboveAndBesideOnly() {
    List<List<RgbImage>> rows = List.of(List.of(filled(64, 64, 200)));
    RgbImage grid = ImageGrid.compose(rows, List.of("before"), List.of("grinning face with big eyes"));
    int left = grid.width() - 64 - 4;
    int top = grid.height() - 64 - 4;
    assertTrue(hasInk(Crops.crop(grid, left, 0, 64, top)), "column label");
    assertTrue(hasInk(Crops.crop(grid, 0, top, left, 64)), "row label");
    assertArrayEquals(rows.get(0).get(0).rgb(), Crops.crop(grid, left, top, 64, 64).rgb());
  }

  private static boolean hasInk(RgbImage image) {
    for (byte value : image.rgb()) {
      if (value == 0) {
        return true;
      }
    }
    return false;
  }

  @Test void eachPrintableCharacterHasItsOwnGlyph() {
    List<RgbImage> seen = new ArrayList<>();
    for (char c = ' '; c <= '~'; c++) {
      byte[] rgb = new byte[3 * 6 * 8];
      Arrays.fill(rgb, (byte) 255);
      BitmapFont.draw(rgb, 6, 8, String.valueOf(c), 0, 0, 1);
      for (RgbImage other : seen) {
        assertTrue(!Arrays.equals(rgb, other.rgb()), "the glyph of " + c + " is taken");
      }
      seen.add(new RgbImage(6, 8, rgb));
    }
  }

  @Test void labelsMustMatchTheTable() {
    List<List<RgbImage>> rows = List.of(Collections.nCopies(2, filled(4, 4, 0)));
    assertThrows(IllegalArgumentException.class, () -> ImageGrid.compose(rows, List.of("one"), List.of()));
    assertThrows(IllegalArgumentException.class, () -> ImageGrid.compose(rows, List.of(), List.of("a", "b")));
    assertThrows(IllegalArgumentException.class, () -> ImageGrid.compose(List.of(), List.of(), List.of()));
  }
}
