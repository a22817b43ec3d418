package org.diffusionrpo.rpo.data;

import java.util.ArrayList;
import java.util.List;

/** Pairs that are in memory anyway. */
record MemoryBlock(List<PreferencePair> pairs) implements PairBlock {
  private static final int SIZE = 64;

  static List<PairBlock> split(List<PreferencePair> pairs) {
    List<PairBlock> blocks = new ArrayList<>();
    for (int from = 0; from < pairs.size(); from += SIZE) {
      blocks.add(new MemoryBlock(pairs.subList(from, Math.min(pairs.size(), from + SIZE))));
    }
    return blocks;
  }

  @Override public int size() {
    return pairs.size();
  }

  @Override public long bytes() {
    return pairs.stream().mapToLong(PreferencePair::size).sum();
  }

  @Override public String identity() {
    return null;
  }

  @Override public List<PairEntry> read() {
    return List.copyOf(pairs);
  }
}
