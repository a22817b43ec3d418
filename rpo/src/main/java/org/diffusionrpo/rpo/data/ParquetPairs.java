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

  private final List<Path> files;

  ParquetPairs(List<Path> files) {
    this.files = List.copyOf(files);
  }

  @Override public void read(Consumer consumer, LoadReport report) throws IOException {
    PairChecker checker = new PairChecker(consumer, report);
    for (Path file : files) {
      if (!read(file, checker)) {
        return;
      }
    }
  }

  private static boolean read(Path file, PairChecker checker) throws IOException {
    MessageType columns = columns(file);
    String name = file.getFileName() + "#";
    long[] row = {0};
    return ParquetTable.read(file, columns, group -> offer(name + row[0]++, group, checker));
  }

  private static boolean offer(String id, Group row, PairChecker checker) throws IOException {
    for (Type column : row.getType().getFields()) {
      if (row.getFieldRepetitionCount(column.getName()) == 0) {
        checker.report().addMissing(id + ": " + column.getName() + " is null");
        return true;
      }
    }
    byte[] first = image(row, "jpg_0");
    byte[] second = image(row, "jpg_1");
    double label = number(row, "label_0");
    if (row.getType().containsField(OTHER_LABEL) && number(row, OTHER_LABEL) == label) {
      checker.report().addTie();
      return true;
    }
    return checker.offerLabelled(id, row.getString("caption", 0), first, second, label);
  }

  private static MessageType columns(Path file) throws IOException {
    MessageType schema = ParquetTable.schema(file);
    List<Type> columns = new ArrayList<>();
    for (String name : REQUIRED) {
      if (!schema.containsField(name)) {
        throw new IOException(file + ": has no column " + name + "; expected " + String.join(", ", REQUIRED));
      }
      columns.add(schema.getType(name));
    }
    if (schema.containsField(OTHER_LABEL)) {
      columns.add(schema.getType(OTHER_LABEL));
    }
    checkTypes(file, columns);
    return new MessageType(schema.getName(), columns);
  }

  private static void checkTypes(Path file, List<Type> columns) throws IOException {
    for (Type column : columns) {
      boolean image = column.getName().startsWith("jpg_");
      boolean label = column.getName().startsWith("label_");
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

  private static byte[] image(Group row, String column) {
    if (row.getType().getType(column).isPrimitive()) {
      return row.getBinary(column, 0).getBytes();
    }
    Group struct = row.getGroup(column, 0);
    return struct.getFieldRepetitionCount("bytes") == 0 ? new byte[0] : struct.getBinary("bytes", 0).getBytes();
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
