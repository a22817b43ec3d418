package org.diffusionrpo.rpo.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.MessageColumnIO;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.MessageType;
import org.diffusionrpo.diffusion.data.ContentKey;

/** The only contact with the Parquet library: local files, rows as {@link Group}, no Hadoop installation. */
final class ParquetTable {
  /** Takes one row; returns false when no more are wanted. */
  interface RowConsumer {
    boolean accept(Group row) throws IOException;
  }

  /** Adds rows to a new file; the file is complete once this is closed. */
  interface RowWriter extends Closeable {
    void write(Group row) throws IOException;
  }

  /**
   * The footer of a file.
   *
   * @param rowGroups in file order
   */
  record Footer(MessageType schema, List<RowGroup> rowGroups) {}

  /**
   * Rows that are stored together.
   *
   * @param columnBytes uncompressed size by name of the top-level column
   */
  record RowGroup(int rows, Map<String, Long> columnBytes) {}

  private ParquetTable() {}

  /** Reads the footer only. */
  static Footer footer(Path file) throws IOException {
    try (ParquetFileReader reader = open(file)) {
      List<RowGroup> groups = new ArrayList<>();
      for (BlockMetaData block : reader.getRowGroups()) {
        Map<String, Long> bytes = new HashMap<>();
        block.getColumns().forEach(column ->
            bytes.merge(column.getPath().toArray()[0], column.getTotalUncompressedSize(), Long::sum));
        groups.add(new RowGroup(Math.toIntExact(block.getRowCount()), bytes));
      }
      return new Footer(reader.getFileMetaData().getSchema(), groups);
    } catch (RuntimeException e) { // the library answers damage with many unchecked exceptions
      throw damaged(file, e);
    }
  }

  /** The key of the footer and of whole columns as they are stored, those of all row groups. */
  static ContentKey key(Path file, List<String> columns) throws IOException {
    try (ParquetFileReader reader = open(file); FileChannel channel = FileChannel.open(file)) {
      long footerEnd = channel.size() - Integer.BYTES - ParquetFileWriter.MAGIC.length;
      int footer = ByteBuffer.wrap(read(channel, footerEnd, Integer.BYTES)).order(ByteOrder.LITTLE_ENDIAN).getInt();
      List<ContentKey> parts = new ArrayList<>();
      parts.add(ContentKey.of(read(channel, footerEnd - footer, footer)));
      for (BlockMetaData block : reader.getRowGroups()) {
        for (ColumnChunkMetaData column : block.getColumns()) {
          if (columns.contains(column.getPath().toArray()[0])) {
            parts.add(ContentKey.of(read(channel, column.getStartingPos(), column.getTotalSize())));
          }
        }
      }
      return ContentKey.of(parts.toArray(ContentKey[]::new));
    } catch (RuntimeException e) {
      throw damaged(file, e);
    }
  }

  private static byte[] read(FileChannel channel, long from, long length) throws IOException {
    if (from < 0 || length < 0 || from + length > channel.size()) {
      throw new IllegalArgumentException("a part from " + from + " with " + length + " bytes is not within the file");
    }
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(length));
    while (bytes.hasRemaining() && channel.read(bytes, from + bytes.position()) >= 0) {}
    return bytes.array();
  }

  /**
   * Hands the rows to a consumer in file order, one at a time; returns false if the consumer stopped early.
   *
   * @param projection the columns to read, a subset of the file's schema
   */
  static boolean read(Path file, MessageType projection, RowConsumer consumer) throws IOException {
    int groups = footer(file).rowGroups().size();
    for (int group = 0; group < groups; group++) {
      if (!read(file, projection, group, consumer)) {
        return false;
      }
    }
    return true;
  }

  /** As {@link #read(Path, MessageType, RowConsumer)}, the rows of one row group; nothing else of the file is read. */
  static boolean read(Path file, MessageType projection, int rowGroup, RowConsumer consumer) throws IOException {
    try (ParquetFileReader reader = open(file)) {
      RecordReader<Group> rows;
      long count;
      try {
        reader.setRequestedSchema(projection);
        PageReadStore pages = reader.readRowGroup(rowGroup);
        count = pages.getRowCount();
        MessageColumnIO columns =
            new ColumnIOFactory().getColumnIO(projection, reader.getFileMetaData().getSchema());
        rows = columns.getRecordReader(pages, new GroupRecordConverter(projection));
      } catch (IOException | RuntimeException e) {
        throw damaged(file, e);
      }
      for (long row = 0; row < count; row++) {
        if (!consumer.accept(next(rows, file))) {
          return false;
        }
      }
      return true;
    }
  }

  /** Creates or replaces a file. Images do not shrink any further, so Zstandard only has the text to work on. */
  static RowWriter create(Path file, MessageType schema, String... imageColumns) throws IOException {
    ExampleParquetWriter.Builder builder = ExampleParquetWriter.builder(new LocalOutputFile(file))
        .withConf(new PlainParquetConfiguration())
        .withType(schema)
        .withWriteMode(ParquetFileWriter.Mode.OVERWRITE)
        .withCompressionCodec(CompressionCodecName.ZSTD);
    for (String column : imageColumns) {
      builder.withDictionaryEncoding(column, false);
    }
    ParquetWriter<Group> writer = builder.build();
    return new RowWriter() {
      @Override public void write(Group row) throws IOException {
        writer.write(row);
      }

      @Override public void close() throws IOException {
        writer.close();
      }
    };
  }

  /** Pages that carry a checksum are compared with it. */
  private static ParquetFileReader open(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + ": no such file");
    }
    ParquetReadOptions options =
        ParquetReadOptions.builder(new PlainParquetConfiguration()).usePageChecksumVerification().build();
    try {
      return ParquetFileReader.open(new LocalInputFile(file), options);
    } catch (IOException | RuntimeException e) {
      throw damaged(file, e);
    }
  }

  private static Group next(RecordReader<Group> rows, Path file) throws IOException {
    try {
      return rows.read();
    } catch (RuntimeException e) {
      throw damaged(file, e);
    }
  }

  private static IOException damaged(Path file, Exception cause) {
    return new IOException(file + ": not a readable Parquet file: " + cause.getMessage(), cause);
  }
}
