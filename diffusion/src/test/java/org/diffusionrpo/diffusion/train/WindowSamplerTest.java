package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WindowSamplerTest {
  private static final int[] SIZES = {3, 5, 1, 4, 2, 6};
  private static final int ITEMS = 21;
  private static final int WINDOW = 2;

  private static int[] epoch(long seed, int epoch) {
    return new WindowSampler(seed, SIZES, WINDOW, ITEMS).batch(epoch);
  }

  private static int block(int item) {
    int block = 0;
    for (int end = SIZES[0]; item >= end; end += SIZES[block]) {
      block++;
    }
    return block;
  }

  @Test
  void everyEpochHasEveryItemOnceInItsOwnOrder() {
    for (int epoch = 0; epoch < 3; epoch++) {
      assertArrayEquals(IntStream.range(0, ITEMS).toArray(), Arrays.stream(epoch(7, epoch)).sorted().toArray());
    }
    assertFalse(Arrays.equals(epoch(7, 0), epoch(7, 1)));
    assertFalse(Arrays.equals(epoch(7, 0), epoch(8, 0)));
  }

  @Test
  void aWindowMixesItsBlocksAndNoOthers() {
    int[] blocks = Arrays.stream(epoch(7, 0)).map(WindowSamplerTest::block).toArray();
    int mixed = 0;
    for (int at = 0; at < ITEMS; ) {
      int size = SIZES[blocks[at]];
      int first = blocks[at];
      int end = at;
      int second = -1;
      while (end < ITEMS && (second < 0 || end - at < size)) { // up to the end of the window's two blocks
        if (blocks[end] != first && second < 0) {
          second = blocks[end];
          size += SIZES[second];
        }
        end++;
      }
      int other = second;
      assertTrue(Arrays.stream(blocks, at, end).allMatch(block -> block == first || block == other),
          Arrays.toString(blocks));
      mixed += IntStream.range(at + 1, end).filter(i -> blocks[i] != blocks[i - 1]).count() > 1 ? 1 : 0;
      at = end;
    }
    assertTrue(mixed > 0, "no window is shuffled: " + Arrays.toString(blocks));
  }

  @Test
  void anyBatchIsFoundWithoutThoseBeforeIt() {
    WindowSampler walked = new WindowSampler(3, SIZES, WINDOW, 4);
    for (int step = 0; step < 40; step++) {
      assertArrayEquals(new WindowSampler(3, SIZES, WINDOW, 4).batch(step), walked.batch(step), "step " + step);
    }
    assertEquals(0, walked.epoch(5, 0));
    assertEquals(1, walked.epoch(5, 1), "place 21 of 21 items");
  }

  @Test
  void oneWindowOfAllBlocksIsAnOrdinaryShuffle() {
    int[] order = new WindowSampler(3, SIZES, SIZES.length, ITEMS).batch(0);
    assertArrayEquals(IntStream.range(0, ITEMS).toArray(), Arrays.stream(order).sorted().toArray());
  }

  @Test
  void emptyBlocksAndWindowsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new WindowSampler(1, new int[] {2, 0}, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> new WindowSampler(1, SIZES, 0, 1));
  }
}
