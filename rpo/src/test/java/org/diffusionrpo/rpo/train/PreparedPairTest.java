package org.diffusionrpo.rpo.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.List;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.rpo.data.DecodedPair;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.junit.jupiter.api.Test;

class PreparedPairTest {
  private static final int RESOLUTION = 8;
  private final DecodedPair pair = new DecodedPair(new PreferencePair(new byte[1], new byte[1], "a cat", "1"),
      new RgbImage(64, 48, new byte[3 * 64 * 48]), new RgbImage(48, 64, new byte[3 * 48 * 64]));

  @Test
  void picturesThatWaitAreSmallUnlessAScorerWantsThem() {
    PreparedPair prepared = PreparedPair.of(pair, RESOLUTION, View.PLAIN, null);
    for (PreparedImage image : List.of(prepared.winner(), prepared.loser())) {
      assertEquals(3 * RESOLUTION * RESOLUTION, image.image().rgb().length);
    }
    assertNull(prepared.whole());
    Relabelling relabelling = new Relabelling(null);
    assertSame(pair, PreparedPair.of(pair, RESOLUTION, View.PLAIN, relabelling).whole());
  }
}
