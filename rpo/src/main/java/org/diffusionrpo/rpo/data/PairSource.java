package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Preference pairs in blocks that are read on their own and in any order, so that a source may be larger than memory
 * and a resumed run reads only what it still needs.
 */
public interface PairSource {
  /** Takes one pair after another. */
  interface Consumer {
    /** Returns false when no more pairs are wanted. */
    boolean accept(PreferencePair pair) throws IOException;
  }

  /**
   * The blocks in a fixed order, without reading a picture. Entries whose label prefers no image are not in them; they
   * are counted in the report.
   *
   * @throws IOException that names file and fault if the source is damaged as a whole
   */
  List<PairBlock> blocks(LoadReport report) throws IOException;

  /**
   * Hands over the pairs in the order of the blocks, each with both images decodable; they are decoded ahead on other
   * threads. What is left out is counted and named in the report.
   */
  default void read(Consumer consumer, LoadReport report) throws IOException {
    try (PairReader<PairEntry> pairs = new PairReader<>(blocks(report), DecodedEntry::checked)) {
      while (pairs.hasNext()) {
        PairEntry outcome = pairs.next();
        if (outcome instanceof LeftOut leftOut) {
          leftOut.addTo(report);
        } else {
          report.addPair();
          if (!consumer.accept((PreferencePair) outcome)) {
            return;
          }
        }
      }
    }
  }

  /** Pairs in memory as a source. */
  static PairSource of(List<PreferencePair> pairs) {
    return report -> MemoryBlock.split(pairs);
  }

  /** The first {@code limit} entries of a source's blocks. */
  static List<PairBlock> first(List<PairBlock> blocks, long limit) {
    List<PairBlock> kept = new ArrayList<>();
    long left = limit;
    for (PairBlock block : blocks) {
      if (left > 0) {
        kept.add(block.size() <= left ? block : new ShortBlock(block, (int) left));
      }
      left -= block.size();
    }
    return kept;
  }

  /**
   * Recognises the format of a user's data.
   *
   * <ul>
   *   <li>{@code *.parquet}, or a folder with such files: Pick-a-Pic's schema, see {@link ParquetPairs};
   *   <li>{@code *.jsonl}, {@code *.csv}, {@code *.tsv}: paths of images, see {@link TablePairs};
   *   <li>a folder with the folders {@code winners} and {@code losers}, see {@link FolderPairs}.
   * </ul>
   */
  static PairSource open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      if (Files.isDirectory(path.resolve(FolderPairs.WINNERS)) && Files.isDirectory(path.resolve(FolderPairs.LOSERS))) {
        return new FolderPairs(path);
      }
      List<Path> shards = shards(path);
      if (shards.isEmpty()) {
        throw new IOException(path + ": holds neither *.parquet files nor the folders winners and losers");
      }
      return new ParquetPairs(shards);
    }
    if (!Files.exists(path)) {
      throw new IOException(path + ": no such file or folder");
    }
    String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
    return switch (name.substring(name.lastIndexOf('.') + 1)) {
      case "parquet" -> new ParquetPairs(List.of(path));
      case "jsonl", "csv", "tsv" -> new TablePairs(path);
      default -> throw new IOException(
          path + ": unknown kind of data; expected .parquet, .jsonl, .csv, .tsv or a folder");
    };
  }

  private static List<Path> shards(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".parquet")).sorted().toList();
    }
  }
}
