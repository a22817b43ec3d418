package org.diffusionrpo.rpo.align;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.data.PairDataset;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImages;
import org.diffusionrpo.rpo.data.StyledPairs;
import org.diffusionrpo.rpo.eval.Drawing;

/**
 * The pairs of a run and, for the bundled styles, what its result is measured with.
 *
 * @param source file or folder that the pairs come from
 * @param report what was left out of a user's data; null for the bundled styles
 * @param styled the bundled images; null for a user's data
 */
record AlignData(Path source, List<PreferencePair> pairs, String report, StyledImages styled) {
  static AlignData load(AlignSettings settings) throws IOException {
    if (settings.data != null) {
      int limit = settings.limit == null ? Integer.MAX_VALUE : settings.limit;
      PairDataset dataset = PairDataset.load(settings.data, limit);
      return new AlignData(settings.data, dataset.pairs(), dataset.report().toString(), null);
    }
    Path file = Bundled.require(Bundled.data());
    StyledImages styled = StyledImages.load(file);
    if (!styled.styles().contains(settings.style)) {
      throw new IllegalArgumentException("--style " + settings.style + ": expected one of "
          + String.join(", ", styled.styles()));
    }
    List<PreferencePair> pairs =
        StyledPairs.form(styled, Split.TRAIN, settings.style, settings.losers, settings.seed);
    int limit = settings.limit == null ? pairs.size() : Math.min(settings.limit, pairs.size());
    return new AlignData(file, pairs.subList(0, limit), null, styled);
  }

  /** Captions to draw: of held-out concepts for the bundled styles, else of the pairs; each once. */
  List<String> prompts(Split split) {
    return styled == null ? pairs.stream().map(PreferencePair::caption).distinct().toList()
        : Drawing.captions(styled, split);
  }
}
