package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Preference pairs in memory, as a run draws them; images stay encoded.
 *
 * @param pairs in the order of their source
 * @param report what was left out on the way
 */
public record PairDataset(List<PreferencePair> pairs, LoadReport report) {
  public PairDataset {
    pairs = List.copyOf(pairs);
  }

  /**
   * Loads a user's data in any format of {@link PairSource#open}.
   *
   * @param limit stop after so many pairs; {@link Integer#MAX_VALUE} for all
   * @throws IOException also if no pair remains, or if the pairs would fill more than half of the heap
   */
  public static PairDataset load(Path path, int limit) throws IOException {
    return load(path, limit, Runtime.getRuntime().maxMemory() / 2);
  }

  static PairDataset load(Path path, int limit, long maxBytes) throws IOException {
    if (limit < 1) {
      throw new IllegalArgumentException("a limit of " + limit + " pairs: expected at least 1");
    }
    List<PreferencePair> pairs = new ArrayList<>();
    LoadReport report = new LoadReport();
    long[] bytes = {0};
    PairSource.open(path).read(pair -> {
      bytes[0] += pair.size();
      if (bytes[0] > maxBytes) {
        throw new IOException(path + ": its first " + report.pairs() + " pairs already hold more than "
            + (maxBytes >> 20) + " MiB of images; limit their number or give Java a larger heap (-Xmx)");
      }
      pairs.add(pair);
      return pairs.size() < limit;
    }, report);
    if (pairs.isEmpty()) {
      throw new IOException(path + ": no usable pair: " + report);
    }
    return new PairDataset(pairs, report);
  }

  public int size() {
    return pairs.size();
  }
}
