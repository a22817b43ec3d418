package org.diffusionrpo.rpo.align;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.data.LoadReport;
import org.diffusionrpo.rpo.data.PairBlock;
import org.diffusionrpo.rpo.data.PairDataset;
import org.diffusionrpo.rpo.data.PairEntry;
import org.diffusionrpo.rpo.data.PairSource;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImages;
import org.diffusionrpo.rpo.data.StyledPairs;
import org.diffusionrpo.rpo.eval.Drawing;

/**
 * The pairs of a run and, for the bundled styles, what its result is measured with.
 *
 * @param source file or folder that the pairs come from
 * @param pairs in memory; null for a run with a cache or a stream
 * @param blocks to be read; null for a run in memory
 * @param report what is left out of a user's data
 * @param styled the bundled images; null for a user's data
 */
record AlignData(Path source, List<PreferencePair> pairs, List<PairBlock> blocks, LoadReport report,
    StyledImages styled) {
  static AlignData load(AlignSettings settings) throws IOException {
    boolean inMemory = settings.cache == null && !settings.stream;
    int limit = settings.limit == null ? Integer.MAX_VALUE : settings.limit;
    if (settings.data == null) {
      return bundled(settings, limit, inMemory);
    }
    if (inMemory) {
      PairDataset dataset = PairDataset.load(settings.data, limit);
      return new AlignData(settings.data, dataset.pairs(), null, dataset.report(), null);
    }
    LoadReport report = new LoadReport();
    List<PairBlock> blocks = PairSource.first(PairSource.open(settings.data).blocks(report), limit);
    if (blocks.isEmpty()) {
      throw new IOException(settings.data + ": no usable pair: " + report);
    }
    return new AlignData(settings.data, null, blocks, report, null);
  }

  private static AlignData bundled(AlignSettings settings, int limit, boolean inMemory) throws IOException {
    Path file = Bundled.require(Bundled.data());
    StyledImages styled = StyledImages.load(file);
    if (!styled.styles().contains(settings.style)) {
      throw new IllegalArgumentException("--style " + settings.style + ": expected one of "
          + String.join(", ", styled.styles()));
    }
    List<PreferencePair> all = StyledPairs.form(styled, Split.TRAIN, settings.style, settings.losers, settings.seed);
    List<PreferencePair> pairs = all.subList(0, Math.min(limit, all.size()));
    LoadReport report = new LoadReport();
    return inMemory ? new AlignData(file, pairs, null, report, styled)
        : new AlignData(file, null, PairSource.of(pairs).blocks(report), report, styled);
  }

  /** Pairs, those that turn out to be unreadable included where they were not read yet. */
  int size() {
    return pairs != null ? pairs.size() : blocks.stream().mapToInt(PairBlock::size).sum();
  }

  /** What was left out so far; null for the bundled styles, of which nothing is. */
  String leftOut() {
    return styled != null ? null : report.toString();
  }

  /** Captions to draw, up to a number: of held-out concepts for the bundled styles, else of the pairs; each once. */
  List<String> prompts(Split split, int count) throws IOException {
    if (styled != null) {
      return Drawing.captions(styled, split);
    }
    Set<String> captions = new LinkedHashSet<>();
    for (int i = 0; pairs == null && i < blocks.size() && captions.size() < count; i++) {
      for (PairEntry entry : blocks.get(i).read()) {
        if (entry instanceof PreferencePair pair) {
          captions.add(pair.caption());
        }
      }
    }
    if (pairs != null) {
      pairs.forEach(pair -> captions.add(pair.caption()));
    }
    return List.copyOf(captions);
  }
}
