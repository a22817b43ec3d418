package org.diffusionrpo.rpo.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.diffusionrpo.diffusion.unet.TextEmbedding;

/** Compares pairs from two sources in everything that training reads of them. */
final class EncodedPairsAssert {
  /** Rounding to float16, relative. */
  static final float HALF = 0x1p-11f;
  /** Rounding of a unit vector to float32. */
  private static final double SINGLE = 1e-7;

  private EncodedPairsAssert() {}

  /** Every pair once, all mirrored or none. */
  static List<EncodedPair> all(EncodedPairs pairs, boolean flip) throws IOException {
    View[] views = new View[pairs.size()];
    Arrays.fill(views, new View(flip, View.CENTER, View.CENTER));
    return pairs.get(IntStream.range(0, pairs.size()).toArray(), views);
  }

  /** @param rounding of latents and text embeddings, relative; 0 for the same bits */
  static void assertSame(List<EncodedPair> expected, List<EncodedPair> actual, float rounding) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertSame(expected.get(i).winner(), actual.get(i).winner(), rounding);
      assertSame(expected.get(i).loser(), actual.get(i).loser(), rounding);
      assertSame(expected.get(i).text(), actual.get(i).text(), rounding);
      assertArrayEquals(expected.get(i).prompt(), actual.get(i).prompt(), SINGLE);
    }
  }

  static void assertSame(TextEmbedding expected, TextEmbedding actual, float rounding) {
    assertClose(expected.context(), actual.context(), rounding);
    assertEquals(expected.pooled() == null, actual.pooled() == null, "pooled");
    if (expected.pooled() != null) {
      assertClose(expected.pooled(), actual.pooled(), rounding);
    }
  }

  private static void assertSame(EncodedImage expected, EncodedImage actual, float rounding) {
    assertClose(expected.moments(), actual.moments(), rounding);
    assertEquals(expected.timeIds(), actual.timeIds());
    assertArrayEquals(expected.embedding(), actual.embedding(), SINGLE);
  }

  private static void assertClose(float[] expected, float[] actual, float rounding) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) { // the smallest halves are farther apart than their size says
      assertEquals(expected[i], actual[i], Math.max(Math.abs(expected[i]) * rounding, rounding == 0 ? 0 : 0x1p-25f));
    }
  }
}
