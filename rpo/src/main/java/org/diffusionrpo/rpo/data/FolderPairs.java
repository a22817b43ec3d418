package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A folder with {@code winners/} and {@code losers/}: images of the same name (the ending may differ) are a pair. The
 * caption stands in {@code NAME.txt} in the folder itself, in winners or in losers, looked for in this order; without
 * one it is the name with blanks for underscores.
 */
final class FolderPairs implements PairSource {
  static final String WINNERS = "winners";
  static final String LOSERS = "losers";
  private static final List<String> IMAGES = List.of("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff");

  private final Path folder;

  FolderPairs(Path folder) {
    this.folder = folder;
  }

  @Override public List<PairBlock> blocks(LoadReport report) throws IOException {
    Map<String, Path> winners = images(folder.resolve(WINNERS));
    Map<String, Path> losers = images(folder.resolve(LOSERS));
    TreeSet<String> names = new TreeSet<>(winners.keySet());
    names.addAll(losers.keySet());
    List<FileBlock.Entry> entries = new ArrayList<>();
    for (String name : names) {
      Path winner = winners.get(name);
      Path loser = losers.get(name);
      if (winner == null || loser == null) {
        report.addMissing(name + ": no image in " + folder.resolve(winner == null ? WINNERS : LOSERS));
      } else {
        entries.add(new FileBlock.Entry(name, caption(name), winner, loser));
      }
    }
    return FileBlock.split(entries);
  }

  private String caption(String name) throws IOException {
    for (Path place : List.of(folder, folder.resolve(WINNERS), folder.resolve(LOSERS))) {
      Path text = place.resolve(name + ".txt");
      if (Files.exists(text)) {
        return TextFiles.read(text).strip();
      }
    }
    return name.replace('_', ' ').strip();
  }

  private static Map<String, Path> images(Path folder) throws IOException {
    Map<String, Path> images = new TreeMap<>();
    List<Path> files;
    try (Stream<Path> list = Files.list(folder)) {
      files = list.sorted().toList();
    }
    for (Path file : files) {
      String name = file.getFileName().toString();
      int dot = name.lastIndexOf('.');
      if (dot < 1 || !IMAGES.contains(name.substring(dot + 1).toLowerCase(Locale.ROOT))) {
        continue;
      }
      Path other = images.put(name.substring(0, dot), file);
      if (other != null) {
        throw new IOException(folder + ": " + other.getFileName() + " and " + name + " would be the same pair");
      }
    }
    return images;
  }
}
