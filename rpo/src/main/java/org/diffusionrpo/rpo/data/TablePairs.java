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
    boolean labelled = fields.containsKey("label_0");
    String caption = value(fields, CAPTION, line);
    byte[] first = image(value(fields, labelled ? FIRST : WINNER, line), id, checker.report());
    byte[] second = image(value(fields, labelled ? SECOND : LOSER, line), id, checker.report());
    if (first == null || second == null) {
      return true;
    }
    return labelled
        ? checker.offerLabelled(id, caption, first, second, label(value(fields, LABEL, line), line))
        : checker.offer(id, caption, first, second);
  }

  private String value(Map<String, String> fields, List<String> names, int line) throws IOException {
    for (String name : names) {
      String value = fields.get(name);
      if (value != null) {
        return value;
      }
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
