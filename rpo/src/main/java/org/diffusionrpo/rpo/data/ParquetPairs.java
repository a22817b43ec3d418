package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;

/**
 * Parquet files in the schema of Pick-a-Pic (Kirstain et al. 2023, arXiv:2305.01569): {@code jpg_0} and {@code jpg_1}
 * hold encoded images, {@code label_0} is 1 where the first one is preferred, 0 where the second one is and 0.5 for a
 * tie, {@code label_1} is its complement and may be absent, {@code caption} is the prompt. Other columns are not read.
 * An image may also be a group with a field {@code bytes}, as the Hugging Face tools write it.
 */
final class ParquetPairs implements PairSource {
  private static final List<String> REQUIRED = List.of("jpg_0", "jpg_1", "label_0", "caption");
  private static final String OTHER_LABEL = "label_1";
  private static final List<String> SMALL = List.of("label_0", OTHER_LABEL, "caption");

  private final List<Path> files;

  ParquetPairs(List<Path> files) {
    this.files = List.copyOf(files);
  }

  @Override public List<PairBlock> blocks(LoadReport report) throws IOException {
    List<PairBlock> blocks = new ArrayList<>();
    for (Path file : files) {
      addBlocks(file, blocks, report);
    }
    return blocks;
  }

  private void addBlocks(Path file, List<PairBlock> blocks, LoadReport report) throws IOException {
    ShardIndex shard = index(file);
    MessageType pictures = columns(file, shard.schema(), REQUIRED.stream().filter(name -> !isLabel(name)).toList());
    for (int group = 0, row = 0; group < shard.groups().size(); group++) {
      ShardIndex.Group rows = shard.groups().get(group);
      List<RowGroupBlock.Row> kept = new ArrayList<>();
      for (int i = 0; i < rows.preferences().length; i++, row++) {
        if (!rows.preferences()[i].leavesOut(file.getFileName() + "#" + row, report)) {
          kept.add(new RowGroupBlock.Row(i, rows.preferences()[i] == Preference.FIRST));
        }
      }
      if (!kept.isEmpty()) {
        blocks.add(new RowGroupBlock(file, pictures, shard.identity(), group, row - rows.preferences().length, kept,
            rows.bytes()));
      }
    }
  }

  /** Footer and labels of a file. */
  private static ShardIndex index(Path file) throws IOException {
    ParquetTable.Footer footer = ParquetTable.footer(file);
    columns(file, footer.schema(), REQUIRED);
    List<String> labelNames = new ArrayList<>(List.of("label_0"));
    if (footer.schema().containsField(OTHER_LABEL)) {
      labelNames.add(OTHER_LABEL);
    }
    MessageType labels = columns(file, footer.schema(), labelNames);
    List<ShardIndex.Group> groups = new ArrayList<>();
    for (ParquetTable.RowGroup rowGroup : footer.rowGroups()) {
      List<Preference> preferences = new ArrayList<>();
      ParquetTable.read(file, labels, groups.size(), row -> preferences.add(preference(row)));
      long bytes = REQUIRED.stream().mapToLong(name -> rowGroup.columnBytes().getOrDefault(name, 0L)).sum();
      groups.add(new ShardIndex.Group(preferences.toArray(Preference[]::new), bytes));
    }
    return new ShardIndex(ShardIndex.identity(file, SMALL), footer.schema(), groups);
  }

  private static Preference preference(Group row) {
    for (Type label : row.getType().getFields()) {
      if (row.getFieldRepetitionCount(label.getName()) == 0) {
        return Preference.INVALID;
      }
    }
    double label = number(row, "label_0");
    boolean same = row.getType().containsField(OTHER_LABEL) && number(row, OTHER_LABEL) == label;
    return same ? Preference.TIE : Preference.of(label);
  }

  private static boolean isLabel(String column) {
    return column.startsWith("label_");
  }

  private static MessageType columns(Path file, MessageType schema, List<String> names) throws IOException {
    List<Type> columns = new ArrayList<>();
    for (String name : names) {
      if (!schema.containsField(name)) {
        throw new IOException(file + ": has no column " + name + "; expected " + String.join(", ", REQUIRED));
      }
      columns.add(schema.getType(name));
    }
    checkTypes(file, columns);
    return new MessageType(schema.getName(), columns);
  }

  private static void checkTypes(Path file, List<Type> columns) throws IOException {
    for (Type column : columns) {
      boolean image = column.getName().startsWith("jpg_");
      boolean label = isLabel(column.getName());
      boolean right = label ? isNumber(column)
          : isBinary(column) || image && !column.isPrimitive() && column.asGroupType().containsField("bytes")
              && isBinary(column.asGroupType().getType("bytes"));
      if (!right || column.isRepetition(Type.Repetition.REPEATED)) {
        throw new IOException(file + ": the column " + column.getName() + " has the wrong type: " + column);
      }
    }
  }

  private static boolean isBinary(Type type) {
    return type.isPrimitive() && type.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY;
  }

  private static boolean isNumber(Type type) {
    return type.isPrimitive() && switch (type.asPrimitiveType().getPrimitiveTypeName()) {
      case DOUBLE, FLOAT, INT32, INT64 -> true;
      default -> false;
    };
  }

  private static double number(Group row, String column) {
    return switch (row.getType().getType(column).asPrimitiveType().getPrimitiveTypeName()) {
      case DOUBLE -> row.getDouble(column, 0);
      case FLOAT -> row.getFloat(column, 0);
      case INT64 -> row.getLong(column, 0);
      default -> row.getInteger(column, 0);
    };
  }
}
