package org.diffusionrpo.rpo.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.List;
import java.util.stream.IntStream;
import org.diffusionrpo.diffusion.image.Crops;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.junit.jupiter.api.Test;

class ViewTest {
  private static final int ITEMS = 400;

  private static List<View> epoch(long seed, long epoch, boolean flips, View.Crop crop) {
    return IntStream.range(0, ITEMS).mapToObj(item -> View.of(flips, crop, seed, epoch, item, ITEMS)).toList();
  }

  @Test
  void halfOfThePairsAreMirroredAndOthersInTheNextEpoch() {
    List<View> first = epoch(1, 0, true, View.Crop.CENTER);
    double share = first.stream().filter(View::flip).count() / (double) ITEMS;
    assertEquals(0.5, share, 3 * Math.sqrt(0.25 / ITEMS), "three standard deviations");
    assertEquals(first, epoch(1, 0, true, View.Crop.CENTER));
    assertNotEquals(first, epoch(1, 1, true, View.Crop.CENTER));
    assertNotEquals(first, epoch(2, 0, true, View.Crop.CENTER));
  }

  @Test
  void withoutOptionsPicturesAreAsTheyAre() {
    assertSame(View.PLAIN, View.of(false, View.Crop.CENTER, 1, 5, 3, ITEMS));
    assertEquals(0, epoch(1, 0, false, View.Crop.RANDOM).stream().filter(View::flip).count());
  }

  @Test
  void randomCropsReachBothEnds() {
    for (View view : epoch(1, 0, true, View.Crop.RANDOM)) {
      assertEquals(0, View.offset(view.left(), 8, 8));
    }
    List<Integer> offsets = epoch(1, 0, true, View.Crop.RANDOM).stream().map(v -> View.offset(v.left(), 11, 8)).distinct()
        .sorted().toList();
    assertEquals(List.of(0, 1, 2, 3), offsets);
  }

  @Test
  void aViewMirrorsAndCutsAtItsPlace() {
    byte[] rgb = new byte[3 * 20 * 10];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) i;
    }
    RgbImage picture = new RgbImage(20, 10, rgb);
    PreparedImage seen = PreparedImage.of(picture, 10, new View(true, 0.5, 0.3));
    assertArrayEquals(Crops.flip(Crops.crop(picture, 5, 0, 10, 10)).rgb(), seen.image().rgb());
    assertEquals(5, seen.timeIds().cropLeft());
    assertEquals(PreparedImage.of(picture, 10, View.PLAIN).timeIds().cropLeft(), 5, "the middle of 10 spare pixels");
  }
}
