package org.diffusionrpo.rpo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.tensor.Philox;

/** Parquet files with all columns of Pick-a-Pic v2 and small row groups, of pictures of noise. */
public final class Shards {
  /** As the hub's dataset card lists them; uids and times are not read. */
  private static final MessageType PICK_A_PIC_V2 = MessageTypeParser.parseMessageType("""
      message schema {
        optional boolean are_different;
        optional binary best_image_uid (STRING);
        optional binary caption (STRING);
        optional int64 created_at (TIMESTAMP(NANOS,false));
        optional boolean has_label;
        optional binary image_0_uid (STRING);
        optional binary image_0_url (STRING);
        optional binary image_1_uid (STRING);
        optional binary image_1_url (STRING);
        optional binary jpg_0;
        optional binary jpg_1;
        optional double label_0;
        optional double label_1;
        optional binary model_0 (STRING);
        optional binary model_1 (STRING);
        optional int64 ranking_id;
        optional int64 user_id;
        optional int64 num_example_per_prompt;
        optional int64 __index_level_0__;
      }""");
  private static final List<String> CAPTIONS = List.of("red cat", "red dog", "blue cat", "blue dog", "cat and dog");
  private static final int ROWS_PER_GROUP = 4;

  private Shards() {}

  /** Rows whose label goes 1, 0, 1, 0, 0.5 and again from the start; every fifth is a tie. */
  public static Path write(Path file, int firstRow, int rows) throws IOException {
    List<Group> groups = new ArrayList<>();
    for (int i = firstRow; i < firstRow + rows; i++) {
      groups.add(row(i, i % 5 == 4 ? 0.5 : 1 - i % 5 % 2, picture("winner", i), picture("loser", i)));
    }
    return write(file, groups);
  }

  /** The rows of {@link #write} without compression, so that the size of the file does not depend on labels. */
  public static Path writeUncompressed(Path file, int firstRow, int rows, boolean turned) throws IOException {
    List<Group> groups = new ArrayList<>();
    for (int i = firstRow; i < firstRow + rows; i++) {
      boolean swap = turned && i % 5 != 4; // a tie stays as it is
      groups.add(row(i, i % 5 == 4 ? 0.5 : (swap ? 0 : 1) ^ i % 5 % 2, picture(swap ? "loser" : "winner", i),
          picture(swap ? "winner" : "loser", i)));
    }
    return write(file, groups, CompressionCodecName.UNCOMPRESSED);
  }

  /** The same pictures with opposite labels; the file keeps size and time. */
  public static void turnLabels(Path file, int firstRow, int rows) throws IOException {
    long size = Files.size(file);
    FileTime time = Files.getLastModifiedTime(file);
    Files.setLastModifiedTime(writeUncompressed(file, firstRow, rows, true), time);
    if (Files.size(file) != size) {
      throw new AssertionError("the size tells the difference");
    }
  }

  /** A pair, two with a broken picture, one without a caption. */
  public static Path writeFaulty(Path file) throws IOException {
    Group captionless = new SimpleGroup(PICK_A_PIC_V2);
    captionless.append("jpg_0", Binary.fromConstantByteArray(picture("winner", 3)))
        .append("jpg_1", Binary.fromConstantByteArray(picture("loser", 3)))
        .append("label_0", 1.0).append("label_1", 0.0);
    return write(file, List.of(row(0, 1, picture("winner", 0), picture("loser", 0)),
        row(1, 1, new byte[] {1}, picture("loser", 1)), row(2, 1, picture("winner", 2), new byte[] {1}), captionless));
  }

  static Group row(int number, double label, byte[] winner, byte[] loser) {
    Group row = new SimpleGroup(PICK_A_PIC_V2);
    row.append("are_different", true).append("has_label", label != 0.5)
        .append("caption", CAPTIONS.get(number % CAPTIONS.size()))
        .append("jpg_0", Binary.fromConstantByteArray(label == 0 ? loser : winner))
        .append("jpg_1", Binary.fromConstantByteArray(label == 0 ? winner : loser))
        .append("label_0", label).append("label_1", 1 - label).append("model_0", "dreamlike").append("ranking_id", 7L);
    return row;
  }

  static Path write(Path file, List<Group> rows) throws IOException {
    return write(file, rows, CompressionCodecName.SNAPPY);
  }

  private static Path write(Path file, List<Group> rows, CompressionCodecName codec) throws IOException {
    try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(new LocalOutputFile(file))
        .withConf(new PlainParquetConfiguration()).withType(PICK_A_PIC_V2)
        .withWriteMode(ParquetFileWriter.Mode.OVERWRITE).withDictionaryEncoding(false)
        .withRowGroupRowCountLimit(ROWS_PER_GROUP).withCompressionCodec(codec).build()) {
      for (Group row : rows) {
        writer.write(row);
      }
    }
    return file;
  }

  /** Noise of a size that is not the model's. */
  public static byte[] picture(String kind, int index) {
    byte[] rgb = new byte[3 * 16 * 12];
    Philox random = Philox.stream(3, kind, index);
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) random.nextInt(256);
    }
    return ImageCodec.encodePng(new RgbImage(16, 12, rgb));
  }
}
