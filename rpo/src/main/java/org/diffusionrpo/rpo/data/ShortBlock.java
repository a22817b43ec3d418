package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.util.List;

/** The first entries of another block. */
record ShortBlock(PairBlock whole, int size) implements PairBlock {
  @Override public long bytes() {
    return whole.bytes();
  }

  @Override public String identity() {
    return whole.identity() == null ? null : whole.identity() + " first " + size;
  }

  @Override public List<PairEntry> read() throws IOException {
    return whole.read().subList(0, size);
  }
}
