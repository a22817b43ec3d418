package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
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

  @Override public List<PairBlock> blocks(LoadReport report) throws IOException {
    List<FileBlock.Entry> entries = new ArrayList<>();
    TextTable.read(file, (line, fields) -> add(line, fields, entries, report));
    return FileBlock.split(entries);
  }

  private boolean add(int line, Map<String, String> fields, List<FileBlock.Entry> entries, LoadReport report)
      throws IOException {
    String id = file.getFileName() + ":" + line;
    boolean labelled = isLabelled(fields);
    String caption = value(fields, CAPTION, line);
    String first = value(fields, labelled ? FIRST : WINNER, line);
    String second = value(fields, labelled ? SECOND : LOSER, line);
    String label = labelled ? value(fields, LABEL, line) : "1";
    if (caption == null || first == null || second == null || label == null) {
      report.addMissing(id + ": a field is null");
      return true;
    }
    Preference preference = Preference.of(label(label, line));
    if (!preference.leavesOut(id, report)) {
      boolean firstWins = preference == Preference.FIRST;
      entries.add(new FileBlock.Entry(id, caption, image(firstWins ? first : second),
          image(firstWins ? second : first)));
    }
    return true;
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

  private Path image(String path) throws IOException {
    try {
      return file.resolveSibling(path);
    } catch (InvalidPathException e) {
      throw new IOException(file + ": '" + path + "' is not a path", e);
    }
  }
}
