package org.diffusionrpo.rpo.data;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/**
 * Writes pairs as Pick-a-Pic does, for other trainers to read; {@link PairSource#open} reads them too. The winner is
 * the first image in even rows and the second in odd ones, so that a reader which ignores labels is found out.
 */
public final class ParquetPairWriter implements PairSource.Consumer, Closeable {
  private static final MessageType SCHEMA = MessageTypeParser.parseMessageType("""
      message pair {
        required binary jpg_0;
        required binary jpg_1;
        required double label_0;
        required double label_1;
        required binary caption (STRING);
      }""");

  private final ParquetTable.RowWriter rows;
  private long count;

  /** Creates or replaces the file; it is complete once this is closed. */
  public ParquetPairWriter(Path file) throws IOException {
    rows = ParquetTable.create(file, SCHEMA, "jpg_0", "jpg_1");
  }

  @Override public boolean accept(PreferencePair pair) throws IOException {
    boolean winnerFirst = count++ % 2 == 0;
    Group row = new SimpleGroup(SCHEMA);
    row.append("jpg_0", Binary.fromConstantByteArray(winnerFirst ? pair.winner() : pair.loser()))
        .append("jpg_1", Binary.fromConstantByteArray(winnerFirst ? pair.loser() : pair.winner()))
        .append("label_0", winnerFirst ? 1.0 : 0.0).append("label_1", winnerFirst ? 0.0 : 1.0)
        .append("caption", pair.caption());
    rows.write(row);
    return true;
  }

  /** Pairs written so far. */
  public long count() {
    return count;
  }

  @Override public void close() throws IOException {
    rows.close();
  }
}
