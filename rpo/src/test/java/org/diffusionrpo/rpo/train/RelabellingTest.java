package org.diffusionrpo.rpo.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.pipeline.ProgressListener;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.rpo.data.Shards;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.Test;

class RelabellingTest {
  @Test
  void theHigherCosineWinsAndATieKeepsTheLabel() throws IOException {
    try (Backend backend = new CpuBackend(); Clip clip = TinyModel.createClip(backend)) {
      ClipScorer scorer = new ClipScorer(new ClipEmbedder(backend, clip.model().value(), clip.tokenizer()), "1");
      byte[] a = Shards.picture("winner", 0);
      byte[] b = Shards.picture("loser", 0);
      List<RgbImage> pictures = List.of(scorer.prepare(ImageCodec.decode(a, "a")), scorer.prepare(ImageCodec.decode(b, "b")));
      double[] scores = scorer.score(pictures, List.of("red cat", "red cat"));
      byte[] better = scores[0] > scores[1] ? a : b;
      byte[] worse = better == a ? b : a;
      Relabelling relabelling = new Relabelling(scorer);
      List<PreferencePair> out = relabelling.apply(List.of(new PreferencePair(better, worse, "red cat", "right"),
          new PreferencePair(worse, better, "red cat", "wrong"), new PreferencePair(a, a.clone(), "red cat", "tie")),
          ProgressListener.SILENT);
      assertEquals(better, out.get(0).winner());
      assertEquals(better, out.get(1).winner());
      assertEquals(worse, out.get(1).loser());
      assertEquals(a, out.get(2).winner());
      assertEquals("clip swapped winner and loser of 1 of 3 pairs", relabelling.toString());
    }
  }

  @Test
  void onlyAHigherScoreOfTheLoserSwaps() {
    Relabelling relabelling = new Relabelling(new ClipScorer(null, "1"));
    assertTrue(relabelling.swaps(0.1, 0.2));
    assertFalse(relabelling.swaps(0.2, 0.2));
    assertFalse(relabelling.swaps(0.2, 0.1));
  }
}
