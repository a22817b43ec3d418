package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Something that yields preference pairs one at a time, so that a source may be larger than memory. */
public interface PairSource {
  /** Takes one pair after another. */
  interface Consumer {
    /** Returns false when no more pairs are wanted. */
    boolean accept(PreferencePair pair) throws IOException;
  }

  /**
   * Hands over the pairs in a fixed order, each with both images decodable. What is left out is counted and named in
   * the report; a source that is damaged as a whole throws an {@link IOException} that names file and fault.
   */
  void read(Consumer consumer, LoadReport report) throws IOException;

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
