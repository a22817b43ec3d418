package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Pairs of image files. */
record FileBlock(List<Entry> entries) implements PairBlock {
  private static final int SIZE = 64;

  /**
   * One pair.
   *
   * @param id names the entry in reports
   */
  record Entry(String id, String caption, Path winner, Path loser) {
    private PairEntry read() throws IOException {
      for (Path image : new Path[] {winner, loser}) {
        if (!Files.isRegularFile(image)) {
          return new LeftOut(false, id + ": no file " + image);
        }
      }
      return new PreferencePair(Files.readAllBytes(winner), Files.readAllBytes(loser), caption, id);
    }
  }

  static List<PairBlock> split(List<Entry> entries) {
    List<PairBlock> blocks = new ArrayList<>();
    for (int from = 0; from < entries.size(); from += SIZE) {
      blocks.add(new FileBlock(entries.subList(from, Math.min(entries.size(), from + SIZE))));
    }
    return blocks;
  }

  @Override public int size() {
    return entries.size();
  }

  @Override public long bytes() {
    try {
      long bytes = 0;
      for (Entry entry : entries) {
        bytes += Files.exists(entry.winner) ? Files.size(entry.winner) : 0;
        bytes += Files.exists(entry.loser) ? Files.size(entry.loser) : 0;
      }
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Null: the images are files of their own, and a table stays the same when they change. */
  @Override public String identity() {
    return null;
  }

  @Override public List<PairEntry> read() throws IOException {
    List<PairEntry> read = new ArrayList<>();
    for (Entry entry : entries) {
      read.add(entry.read());
    }
    return read;
  }
}
