package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.pipeline.ProgressListener;
import org.diffusionrpo.rpo.data.PreferencePair;

/** AI feedback: the picture with the higher score becomes the winner; equal scores leave the label as it is. */
public final class Relabelling {
  private static final int CHUNK = 32;

  private final Scorer scorer;
  private long pairs;
  private long swapped;

  public Relabelling(Scorer scorer) {
    this.scorer = scorer;
  }

  Scorer scorer() {
    return scorer;
  }

  /** Whether a pair's winner becomes its loser; counts it. */
  boolean swaps(double winnerScore, double loserScore) {
    pairs++;
    boolean swap = loserScore > winnerScore;
    swapped += swap ? 1 : 0;
    return swap;
  }

  /** Relabels pairs in memory; fewer than there are when the listener cancelled. */
  public List<PreferencePair> apply(List<PreferencePair> all, ProgressListener listener) throws IOException {
    List<PreferencePair> relabelled = new ArrayList<>();
    for (int from = 0; from < all.size() && !listener.cancelled(); from += CHUNK) {
      List<PreferencePair> chunk = all.subList(from, Math.min(all.size(), from + CHUNK));
      List<RgbImage> pictures = new ArrayList<>();
      List<String> captions = new ArrayList<>();
      for (PreferencePair pair : chunk) {
        pictures.add(scorer.prepare(ImageCodec.decode(pair.winner(), pair.id())));
        pictures.add(scorer.prepare(ImageCodec.decode(pair.loser(), pair.id())));
        captions.add(pair.caption());
        captions.add(pair.caption());
      }
      double[] scores = scorer.score(pictures, captions);
      for (int i = 0; i < chunk.size(); i++) {
        relabelled.add(swaps(scores[2 * i], scores[2 * i + 1]) ? chunk.get(i).swapped() : chunk.get(i));
      }
      listener.onProgress(relabelled.size(), all.size());
    }
    return relabelled;
  }

  /** For example {@code clip swapped winner and loser of 12 of 100 pairs}. */
  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s swapped winner and loser of %,d of %,d pairs", scorer.name(), swapped, pairs);
  }
}
