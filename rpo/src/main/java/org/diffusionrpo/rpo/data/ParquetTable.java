package org.diffusionrpo.rpo.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.schema.MessageType;

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

  private ParquetTable() {}

  /** The schema in the file's footer. */
  static MessageType schema(Path file) throws IOException {
    requireFile(file);
    ParquetReadOptions options = ParquetReadOptions.builder(new PlainParquetConfiguration()).build();
    try (ParquetFileReader reader = ParquetFileReader.open(new LocalInputFile(file), options)) {
      return reader.getFileMetaData().getSchema();
    } catch (IOException | RuntimeException e) { // the library answers damage with many unchecked exceptions
      throw damaged(file, e);
    }
  }

  /**
   * Hands the rows to a consumer in file order, one at a time; returns false if the consumer stopped early.
   *
   * @param projection the columns to read, a subset of {@link #schema}
   */
  static boolean read(Path file, MessageType projection, RowConsumer consumer) throws IOException {
    requireFile(file);
    PlainParquetConfiguration configuration = new PlainParquetConfiguration();
    configuration.set(ReadSupport.PARQUET_READ_SCHEMA, projection.toString());
    try (ParquetReader<Group> reader = new Builder(file, configuration).build()) {
      for (Group row = next(reader, file); row != null; row = next(reader, file)) {
        if (!consumer.accept(row)) {
          return false;
        }
      }
    }
    return true;
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

  private static void requireFile(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + ": no such file");
    }
  }

  private static Group next(ParquetReader<Group> reader, Path file) throws IOException {
    try {
      return reader.read();
    } catch (IOException | RuntimeException e) {
      throw damaged(file, e);
    }
  }

  private static IOException damaged(Path file, Exception cause) {
    return new IOException(file + ": not a readable Parquet file: " + cause.getMessage(), cause);
  }

  private static final class Builder extends ParquetReader.Builder<Group> {
    Builder(Path file, PlainParquetConfiguration configuration) {
      super(new LocalInputFile(file), configuration);
    }

    @Override protected ReadSupport<Group> getReadSupport() {
      return new GroupReadSupport();
    }
  }
}
