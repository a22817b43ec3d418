package org.diffusionrpo.rpo.data;

import static org.diffusionrpo.rpo.data.TestPairs.BLUE;
import static org.diffusionrpo.rpo.data.TestPairs.RED;
import static org.diffusionrpo.rpo.data.TestPairs.read;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ParquetPairsTest {
  private static final MessageType PICK_A_PIC = MessageTypeParser.parseMessageType("""
      message schema {
        optional binary are_different (STRING);
        optional binary caption (STRING);
        optional binary jpg_0;
        optional binary jpg_1;
        optional double label_0;
        optional double label_1;
        optional int64 ranking_id;
      }""");

  @TempDir Path folder;

  private static Group row(double label) {
    Group row = new SimpleGroup(PICK_A_PIC);
    row.append("caption", "a dot").append("jpg_0", Binary.fromConstantByteArray(RED))
        .append("jpg_1", Binary.fromConstantByteArray(BLUE)).append("label_0", label).append("label_1", 1 - label)
        .append("ranking_id", 7L);
    return row;
  }

  private Path write(String name, CompressionCodecName codec, MessageType schema, Group... rows) throws IOException {
    Path file = folder.resolve(name);
    try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(new LocalOutputFile(file))
        .withConf(new PlainParquetConfiguration()).withType(schema).withCompressionCodec(codec).build()) {
      for (Group row : rows) {
        writer.write(row);
      }
    }
    return file;
  }

  @ParameterizedTest
  @EnumSource(names = {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"})
  void theLabelNamesTheWinnerUnderEachCodec(CompressionCodecName codec) throws IOException {
    Path file = write("pairs.parquet", codec, PICK_A_PIC, row(1), row(0));
    LoadReport report = new LoadReport();
    List<PreferencePair> pairs = read(file, report);
    assertArrayEquals(RED, pairs.get(0).winner());
    assertArrayEquals(BLUE, pairs.get(0).loser());
    assertArrayEquals(BLUE, pairs.get(1).winner());
    assertEquals("a dot", pairs.get(1).caption());
    assertEquals("pairs.parquet#1", pairs.get(1).id());
    assertEquals(2, report.pairs());
  }

  @Test void tiesNullsAndBrokenImagesAreLeftOutAndCounted() throws IOException {
    Group incomplete = new SimpleGroup(PICK_A_PIC);
    incomplete.append("caption", "nothing else").append("label_0", 1.0).append("label_1", 0.0);
    Group broken = new SimpleGroup(PICK_A_PIC);
    broken.append("caption", "broken").append("jpg_0", Binary.fromConstantByteArray(RED))
        .append("jpg_1", Binary.fromConstantByteArray(Arrays.copyOf(BLUE, BLUE.length / 2)))
        .append("label_0", 1.0).append("label_1", 0.0);
    Path file = write("pairs.parquet", CompressionCodecName.SNAPPY, PICK_A_PIC, row(0.5), incomplete, row(1), broken,
        row(Double.NaN));
    LoadReport report = new LoadReport();
    assertEquals(List.of("pairs.parquet#2"), read(file, report).stream().map(PreferencePair::id).toList());
    assertEquals(1, report.ties());
    assertEquals(2, report.missing());
    assertEquals(List.of("pairs.parquet#4: label_0 is null or not from 0 to 1", "pairs.parquet#1: jpg_0 is null"),
        report.missingNames(), "labels are read before pictures");
    assertEquals(List.of("pairs.parquet#3 (loser): truncated PNG"), report.unreadableNames());
    assertTrue(report.toString().startsWith("1 pairs; dropped: 1 ties, 1 with unreadable images, 2 incomplete"),
        report.toString());
  }

  @Test void aPictureThatClaimsTooManyPixelsIsLeftOutUndecoded() throws IOException {
    ByteBuffer bomb = ByteBuffer.allocate(57).putLong(0x89504E470D0A1A0AL);
    chunk(bomb, "IHDR", ByteBuffer.allocate(13).putInt(12_000).putInt(12_000).put(new byte[] {8, 2, 0, 0, 0}).array());
    chunk(bomb, "IDAT", new byte[0]);
    chunk(bomb, "IEND", new byte[0]);
    Group row = new SimpleGroup(PICK_A_PIC);
    row.append("caption", "bomb").append("jpg_0", Binary.fromConstantByteArray(RED))
        .append("jpg_1", Binary.fromConstantByteArray(bomb.array())).append("label_0", 1.0).append("label_1", 0.0);
    Path file = write("pairs.parquet", CompressionCodecName.SNAPPY, PICK_A_PIC, row, row(1));
    LoadReport report = new LoadReport();
    assertEquals(1, read(file, report).size());
    assertEquals(1, report.unreadable());
    assertTrue(report.unreadableNames().get(0).contains("it claims 144000000 pixels"), report.toString());
  }

  /** A chunk of a PNG file: length, type, data and checksum. */
  private static void chunk(ByteBuffer png, String type, byte[] data) {
    CRC32 sum = new CRC32();
    sum.update(type.getBytes(StandardCharsets.US_ASCII));
    sum.update(data);
    png.putInt(data.length).put(type.getBytes(StandardCharsets.US_ASCII)).put(data).putInt((int) sum.getValue());
  }

  @Test void shardsOfAFolderAreReadInTheOrderOfTheirNames() throws IOException {
    write("b.parquet", CompressionCodecName.ZSTD, PICK_A_PIC, row(0));
    write("a.parquet", CompressionCodecName.ZSTD, PICK_A_PIC, row(1));
    List<PreferencePair> pairs = read(folder, new LoadReport());
    assertEquals(List.of("a.parquet#0", "b.parquet#0"), pairs.stream().map(PreferencePair::id).toList());
  }

  @Test void imagesMayBeGroupsAndLabelsIntegers() throws IOException {
    MessageType schema = MessageTypeParser.parseMessageType("""
        message schema {
          optional group jpg_0 { optional binary bytes; optional binary path (STRING); }
          optional group jpg_1 { optional binary bytes; optional binary path (STRING); }
          required int32 label_0;
          required binary caption (STRING);
        }""");
    Group row = new SimpleGroup(schema);
    row.addGroup("jpg_0").append("bytes", Binary.fromConstantByteArray(RED));
    row.addGroup("jpg_1").append("bytes", Binary.fromConstantByteArray(BLUE));
    row.append("label_0", 0).append("caption", "a dot");
    Path file = write("pairs.parquet", CompressionCodecName.SNAPPY, schema, row);
    assertArrayEquals(BLUE, read(file, new LoadReport()).get(0).winner());
  }

  @Test void writtenPairsAreReadAgain() throws IOException {
    Path file = folder.resolve("out.parquet");
    PreferencePair pair = new PreferencePair(RED, BLUE, "größer", "x");
    try (ParquetPairWriter writer = new ParquetPairWriter(file)) {
      writer.accept(pair);
      writer.accept(pair);
      assertEquals(2, writer.count());
    }
    List<PreferencePair> pairs = read(file, new LoadReport());
    assertEquals(2, pairs.size());
    for (PreferencePair read : pairs) {
      assertArrayEquals(RED, read.winner());
      assertArrayEquals(BLUE, read.loser());
      assertEquals("größer", read.caption());
    }
  }

  @Test void aFileWithoutTheColumnsIsRefused() throws IOException {
    MessageType schema = MessageTypeParser.parseMessageType("message m { required binary caption (STRING); }");
    Group row = new SimpleGroup(schema).append("caption", "a");
    Path file = write("other.parquet", CompressionCodecName.ZSTD, schema, row);
    IOException error = assertThrows(IOException.class, () -> read(file, new LoadReport()));
    assertEquals(file + ": has no column jpg_0; expected jpg_0, jpg_1, label_0, caption", error.getMessage());
  }

  @Test void aColumnOfTheWrongTypeIsRefused() throws IOException {
    MessageType schema = MessageTypeParser.parseMessageType("""
        message m {
          required binary jpg_0; required binary jpg_1; required binary label_0; required binary caption (STRING);
        }""");
    Path file = write("other.parquet", CompressionCodecName.ZSTD, schema);
    IOException error = assertThrows(IOException.class, () -> read(file, new LoadReport()));
    assertEquals(file + ": the column label_0 has the wrong type: required binary label_0", error.getMessage());
  }

  @Test void aCutOffFileIsRefused() throws IOException {
    Path file = write("pairs.parquet", CompressionCodecName.SNAPPY, PICK_A_PIC, row(1));
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 9));
    IOException error = assertThrows(IOException.class, () -> read(file, new LoadReport()));
    assertTrue(error.getMessage().startsWith(file + ": not a readable Parquet file"), error.getMessage());
  }

  @Test void damagedPagesAreRefused() throws IOException {
    Path file = write("pairs.parquet", CompressionCodecName.SNAPPY, PICK_A_PIC, row(1));
    byte[] bytes = Files.readAllBytes(file);
    Arrays.fill(bytes, 4, 200, (byte) 0x5a);
    Files.write(file, bytes);
    IOException error = assertThrows(IOException.class, () -> read(file, new LoadReport()));
    assertTrue(error.getMessage().startsWith(file + ": not a readable Parquet file"), error.getMessage());
  }
}
