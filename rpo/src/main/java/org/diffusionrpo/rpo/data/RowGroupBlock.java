package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;

/**
 * The rows of a row group whose label prefers an image.
 *
 * @param columns pictures and caption
 * @param shard identity of the file
 * @param firstRow number of the group's first row in the file
 */
record RowGroupBlock(Path file, MessageType columns, String shard, int group, int firstRow, List<Row> rows, long bytes)
    implements PairBlock {
  /** @param number within the group */
  record Row(int number, boolean firstWins) {}

  @Override public int size() {
    return rows.size();
  }

  @Override public String identity() {
    StringBuilder text = new StringBuilder(shard + " row group " + group + ", first wins (+) or second (-)");
    rows.forEach(row -> text.append(' ').append(row.number()).append(row.firstWins() ? '+' : '-'));
    return text.toString();
  }

  @Override public List<PairEntry> read() throws IOException {
    List<PairEntry> entries = new ArrayList<>();
    int[] number = {0};
    ParquetTable.read(file, columns, group, row -> {
      if (rows.get(entries.size()).number() == number[0]++) {
        entries.add(entry(row, rows.get(entries.size()).firstWins(), number[0] - 1));
      }
      return entries.size() < rows.size();
    });
    return entries;
  }

  private PairEntry entry(Group row, boolean firstWins, int number) {
    String id = file.getFileName() + "#" + (firstRow + number);
    for (Type column : columns.getFields()) {
      if (row.getFieldRepetitionCount(column.getName()) == 0) {
        return new LeftOut(false, id + ": " + column.getName() + " is null");
      }
    }
    byte[] first = image(row, "jpg_0");
    byte[] second = image(row, "jpg_1");
    return new PreferencePair(firstWins ? first : second, firstWins ? second : first, row.getString("caption", 0), id);
  }

  private static byte[] image(Group row, String column) {
    if (row.getType().getType(column).isPrimitive()) {
      return row.getBinary(column, 0).getBytes();
    }
    Group struct = row.getGroup(column, 0);
    return struct.getFieldRepetitionCount("bytes") == 0 ? new byte[0] : struct.getBinary("bytes", 0).getBytes();
  }
}
