package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.parquet.schema.MessageType;

/**
 * What a Parquet file's footer and labels say, so that its pairs can be numbered without reading a picture.
 *
 * @param identity see {@link #identity}
 */
record ShardIndex(String identity, MessageType schema, List<Group> groups) {
  /**
   * One row group.
   *
   * @param preferences of all rows
   * @param bytes uncompressed, of the columns that are read
   */
  record Group(Preference[] preferences, long bytes) {}

  /**
   * A text that changes when the file does. Size and time tell new pictures, which are too many to be read for this;
   * the content of the footer and of the small columns tells new labels and captions also where a copy or an edit in
   * place kept both.
   *
   * @param columns the small ones
   */
  static String identity(Path file, List<String> columns) throws IOException {
    return ParquetTable.key(file, columns).hex() + " " + file.getFileName() + " " + Files.size(file) + " "
        + Files.getLastModifiedTime(file).toInstant();
  }
}
