package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A JSONL, CSV or TSV file that names images by path, relative to the folder of the file. Accepted names of fields:
 *
 * <pre>
 *   caption   caption, prompt, text
 *   winner    winner, chosen, preferred
 *   loser     loser, rejected, dispreferred
 * </pre>
 * or, instead of winner and loser, {@code image_0}, {@code image_1} and {@code label_0} as in {@link ParquetPairs}.
 * Names are not case-sensitive; other fields are ignored.
 */
final class TablePairs implements PairSource {
  private static final List<String> CAPTION = List.of("caption", "prompt", "text");
  private static final List<String> WINNER = List.of("winner", "chosen", "preferred");
  private static final List<String> LOSER = List.of("loser", "rejected", "dispreferred");
  private static final List<String> FIRST = List.of("image_0");
  private static final List<String> SECOND = List.of("image_1");
  private static final List<String> LABEL = List.of("label_0");

  private final Path file;

  TablePairs(Path file) {
    this.file = file;
  }

  @Override public void read(Consumer consumer, LoadReport report) throws IOException {
    PairChecker checker = new PairChecker(consumer, report);
    TextTable.read(file, (line, fields) -> offer(line, fields, checker));
  }

  private boolean offer(int line, Map<String, String> fields, PairChecker checker) throws IOException {
    String id = file.getFileName() + ":" + line;
    boolean labelled = isLabelled(fields);
    String caption = value(fields, CAPTION, line);
    String firstPath = value(fields, labelled ? FIRST : WINNER, line);
    String secondPath = value(fields, labelled ? SECOND : LOSER, line);
    String label = labelled ? value(fields, LABEL, line) : "";
    if (caption == null || firstPath == null || secondPath == null || label == null) {
      checker.report().addMissing(id + ": a field is null");
      return true;
    }
    byte[] first = image(firstPath, id, checker.report());
    byte[] second = image(secondPath, id, checker.report());
    if (first == null || second == null) {
      return true;
    }
    return labelled ? checker.offerLabelled(id, caption, first, second, label(label, line))
        : checker.offer(id, caption, first, second);
  }

  /** Files that mix both kinds of rows have null for the fields of the other kind. */
  private static boolean isLabelled(Map<String, String> fields) {
    boolean named = WINNER.stream().anyMatch(fields::containsKey);
    return LABEL.stream().anyMatch(name -> named ? fields.get(name) != null : fields.containsKey(name));
  }

  /** Null where the row says null; a field that is not there at all is a fault of the whole table. */
  private String value(Map<String, String> fields, List<String> names, int line) throws IOException {
    for (String name : names) {
      if (fields.get(name) != null) {
        return fields.get(name);
      }
    }
    if (names.stream().anyMatch(fields::containsKey)) {
      return null;
    }
    throw new IOException(file + ":" + line + ": has no field " + String.join(" or ", names));
  }

  private double label(String text, int line) throws IOException {
    try {
      return Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      throw new IOException(file + ":" + line + ": label_0 is '" + text + "', expected a number", e);
    }
  }

  /** Null, with a note in the report, when there is no such file. */
  private byte[] image(String path, String id, LoadReport report) throws IOException {
    Path image;
    try {
      image = file.resolveSibling(path);
    } catch (InvalidPathException e) {
      throw new IOException(file + ": '" + path + "' is not a path", e);
    }
    if (!Files.isRegularFile(image)) {
      report.addMissing(id + ": no file " + image);
      return null;
    }
    return Files.readAllBytes(image);
  }
}
