package org.diffusionrpo.rpo.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.util.List;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.rpo.data.DecodedPair;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.Test;

class PreparedPairTest {
  private static final int RESOLUTION = 8;
  private final DecodedPair pair = new DecodedPair(new PreferencePair(new byte[1], new byte[1], "a cat", "1"),
      new RgbImage(64, 48, new byte[3 * 64 * 48]), new RgbImage(48, 64, new byte[3 * 48 * 64]));

  @Test
  void picturesThatWaitAreSmallAlsoForAScorer() throws IOException {
    PreparedPair prepared = PreparedPair.of(pair, RESOLUTION, View.PLAIN, null);
    for (PreparedImage image : List.of(prepared.winner(), prepared.loser())) {
      assertEquals(3 * RESOLUTION * RESOLUTION, image.image().rgb().length);
    }
    assertNull(prepared.judgedWinner());
    assertNull(prepared.judgedLoser());
    try (Backend backend = new CpuBackend(); Clip clip = TinyModel.createClip(backend)) {
      ClipEmbedder embedder = new ClipEmbedder(backend, clip.model().value(), clip.tokenizer());
      Relabelling relabelling = new Relabelling(new ClipScorer(embedder, "1"));
      PreparedPair judged = PreparedPair.of(pair, RESOLUTION, View.PLAIN, relabelling);
      int size = clip.model().value().vision().config().imageSize();
      for (RgbImage image : List.of(judged.judgedWinner(), judged.judgedLoser())) {
        assertEquals(3 * size * size, image.rgb().length);
      }
      assertArrayEquals(embedder.images(List.of(pair.loser())).get(0),
          embedder.squares(List.of(judged.judgedLoser())).get(0));
    }
  }
}
