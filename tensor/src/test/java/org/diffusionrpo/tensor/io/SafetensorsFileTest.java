package org.diffusionrpo.tensor.io;

import static org.diffusionrpo.tensor.io.SafetensorsBytes.entry;
import static org.diffusionrpo.tensor.io.SafetensorsBytes.file;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsFileTest {
  @TempDir Path folder;

  @Test
  void readsEachTypeBitByBit() throws IOException {
    String header = "{" + entry("long", "I64", "[1]", 0, 8) + "," + entry("float", "F32", "[1,2]", 8, 16) + ","
        + entry("bf16", "BF16", "[3]", 16, 22) + "," + entry("fp16", "F16", "[]", 22, 24) + "}   ";
    try (SafetensorsFile file = open(file(header, 24))) {
      assertEquals(List.of("long", "float", "bf16", "fp16"), List.copyOf(file.names()));
      assertArrayEquals(new long[] {0x0706050403020100L}, file.readLongs("long"));
      assertArrayEquals(new float[] {Float.intBitsToFloat(0x0B0A0908), Float.intBitsToFloat(0x0F0E0D0C)},
          file.readFloats("float"));
      assertArrayEquals(new short[] {0x1110, 0x1312, 0x1514}, file.readHalves("bf16"));
      assertArrayEquals(new float[] {Float.intBitsToFloat(0x11100000), Float.intBitsToFloat(0x13120000),
          Float.intBitsToFloat(0x15140000)}, file.readFloats("bf16"));
      assertArrayEquals(new float[] {(1 + 0x316 / 1024f) * 0x1p-10f}, file.readFloats("fp16")); // 0x1716
      assertEquals(List.of(1L, 2L), file.info("float").shape());
      assertEquals(List.of(), file.info("fp16").shape());
    }
  }

  @Test
  void piecesAreThePartsOfTheWhole() throws IOException {
    String header = "{" + entry("float", "F32", "[6]", 0, 24) + "," + entry("half", "F16", "[2,3]", 24, 36) + ","
        + entry("long", "I64", "[1]", 36, 44) + "}";
    try (SafetensorsFile file = open(file(header, 44))) {
      for (String name : List.of("float", "half")) {
        float[] whole = file.readFloats(name);
        for (int first = 0; first <= 6; first++) {
          for (int count = 0; first + count <= 6; count++) {
            float[] piece = new float[7];
            file.readFloats(name, first, piece, count);
            assertArrayEquals(Arrays.copyOfRange(whole, first, first + count), Arrays.copyOf(piece, count));
          }
        }
        assertThrows(IllegalArgumentException.class, () -> file.readFloats(name, 4, new float[7], 3));
        assertThrows(IllegalArgumentException.class, () -> file.readFloats(name, -1, new float[7], 1));
        assertThrows(IllegalArgumentException.class, () -> file.readFloats(name, 0, new float[1], 2));
      }
      assertThrows(IOException.class, () -> file.readFloats("long", 0, new float[1], 1));
    }
  }

  @Test
  void emptyTensorsAndEmptyFilesAreAllowed() throws IOException {
    String header = "{\"__metadata__\":{\"format\":\"pt\"}," + entry("z", "F32", "[2,0]", 4, 4) + ","
        + entry("a", "F32", "[1]", 0, 4) + "}";
    try (SafetensorsFile file = open(file(header, 4))) {
      assertEquals(0, file.readFloats("z").length);
      assertEquals(Map.of("format", "pt"), file.metadata());
    }
    try (SafetensorsFile file = open(file("{}", 0))) {
      assertTrue(file.names().isEmpty());
    }
  }

  @Test
  void tensorsNeedNotBeginAtAMultipleOfTheirElements() throws IOException {
    String header = "{" + entry("odd", "U8", "[1]", 0, 1) + "," + entry("float", "F32", "[1]", 1, 5) + "}";
    try (SafetensorsFile file = open(file(header, 5))) {
      assertArrayEquals(new float[] {Float.intBitsToFloat(0x04030201)}, file.readFloats("float"));
    }
  }

  @Test
  void otherTypesAreListedButNotRead() throws IOException {
    try (SafetensorsFile file = open(file("{" + entry("q", "F4", "[4]", 0, 2) + "}", 2))) {
      assertEquals(DType.F4, file.info("q").dtype());
      for (IOException e : List.of(assertThrows(IOException.class, () -> file.readFloats("q")),
          assertThrows(IOException.class, () -> file.readHalves("q")),
          assertThrows(IOException.class, () -> file.readLongs("q")))) {
        assertTrue(e.getMessage().contains("\"q\" (F4 [4]) cannot be read into"), e.getMessage());
      }
      IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> file.readFloats("w"));
      assertTrue(e.getMessage().endsWith("has no tensor \"w\""), e.getMessage());
    }
  }

  static Stream<Arguments> faults() {
    String good = entry("a", "F32", "[1]", 0, 4);
    return Stream.of(
        Arguments.of("has 7 bytes, too few", new byte[7]),
        Arguments.of("claims a header of 18446744073709551615 bytes",
            patch(file("{}", 0), 0, -1, -1, -1, -1, -1, -1, -1, -1)),
        Arguments.of("claims a header of 100000001 bytes", patch(file("{}", 0), 0, 0x01, 0xE1, 0xF5, 0x05)),
        Arguments.of("claims a header of 3 bytes, but has only 10", patch(file("{}", 0), 0, 3)),
        Arguments.of("does not begin with '{'", file("", 0)),
        Arguments.of("does not begin with '{'", file(" {}", 0)),
        Arguments.of("does not begin with '{'", file("[]", 0)),
        Arguments.of("not valid UTF-8", file(new byte[] {'{', '"', (byte) 0xC0, (byte) 0x80, '"'}, 0)),
        Arguments.of("not valid JSON", file("{" + good, 4)),
        Arguments.of("not valid JSON", file("{'a':1}", 4)),
        Arguments.of("goes on after its closing brace", file("{" + good + "}{}", 4)),
        Arguments.of("Duplicate field 'a'", file("{" + good + "," + entry("a", "F32", "[1]", 4, 8) + "}", 8)),
        Arguments.of("Duplicate field 'shape'",
            file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,4]}}", 4)),
        Arguments.of("Duplicate field '__metadata__'", file("{\"__metadata__\":{},\"__metadata__\":{}}", 0)),
        Arguments.of("__metadata__ value of \"k\": expected VALUE_STRING", file("{\"__metadata__\":{\"k\":1}}", 0)),
        Arguments.of("\"__metadata__\": expected START_OBJECT", file("{\"__metadata__\":null}", 0)),
        Arguments.of("\"a\": expected START_OBJECT", file("{\"a\":[]}", 0)),
        Arguments.of("unknown dtype \"F33\"", file("{" + entry("a", "F33", "[1]", 0, 4) + "}", 4)),
        Arguments.of("unknown dtype \"f32\"", file("{" + entry("a", "f32", "[1]", 0, 4) + "}", 4)),
        Arguments.of("one of dtype, shape and data_offsets is missing", file("{\"a\":{\"dtype\":\"F32\"}}", 0)),
        Arguments.of("unknown member \"strides\"", file("{\"a\":{\"strides\":[1]}}", 0)),
        Arguments.of("-1 is not in the range", file("{" + entry("a", "F32", "[-1]", 0, 4) + "}", 4)),
        Arguments.of("shape: expected VALUE_NUMBER_INT", file("{" + entry("a", "F32", "[1.0]", 0, 4) + "}", 4)),
        Arguments.of("18446744073709551617 is not in the range",
            file("{" + entry("a", "F32", "[18446744073709551617]", 0, 4) + "}", 4)),
        Arguments.of("too large to count its bits",
            file("{" + entry("a", "F32", "[4294967296,4294967296]", 0, 4) + "}", 4)),
        Arguments.of("too large to count its bits",
            file("{" + entry("a", "F32", "[288230376151711744]", 0, 4) + "}", 4)),
        Arguments.of("more than 64 numbers",
            file("{" + entry("a", "F32", "[1" + ",1".repeat(64) + "]", 0, 4) + "}", 4)),
        Arguments.of("does not end at a byte border", file("{" + entry("a", "F4", "[3]", 0, 2) + "}", 2)),
        Arguments.of("needs two numbers",
            file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4)),
        Arguments.of("more than 2 numbers",
            file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}}", 4)),
        Arguments.of("but needs 4 bytes", file("{" + entry("a", "F32", "[1]", 4, 0) + "}", 4)),
        Arguments.of("but needs 4 bytes", file("{" + entry("a", "F32", "[1]", 0, 8) + "}", 8)),
        Arguments.of("begins at byte 4 of the data", file("{" + entry("a", "F32", "[1]", 4, 8) + "}", 8)),
        Arguments.of("begins at byte 5 of the data, but the tensors before it end at byte 4",
            file("{" + good + "," + entry("b", "U8", "[1]", 5, 6) + "}", 6)),
        Arguments.of("begins at byte 3 of the data, but the tensors before it end at byte 4",
            file("{" + good + "," + entry("b", "U8", "[2]", 3, 5) + "}", 5)),
        Arguments.of("take 4 bytes, but the file holds 5", file("{" + good + "}", 5)),
        Arguments.of("take 4 bytes, but the file holds 3", file("{" + good + "}", 3)));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void refusesAFaultyFileInOneLineThatNamesItAndTheFault(String fault, byte[] bytes) {
    IOException e = assertThrows(IOException.class, () -> open(bytes).close());
    assertTrue(e.getMessage().startsWith(folder.resolve("x.safetensors") + ": "), e.getMessage());
    assertTrue(e.getMessage().contains(fault), e.getMessage());
    assertFalse(e.getMessage().matches("(?s).*[\\r\\n].*"), e.getMessage());
  }

  @Test
  void hostileNamesDoNotBreakTheLine() {
    String header = "{" + entry("a\\nb" + "c".repeat(1000), "F33", "[1]", 0, 4) + "}";
    IOException e = assertThrows(IOException.class, () -> open(file(header, 4)).close());
    assertTrue(e.getMessage().contains("\"a bccc") && e.getMessage().contains("...\""), e.getMessage());
  }

  @Test
  void aHeaderOfCountlessEntriesIsRefusedBeforeItFillsTheMemory() {
    StringBuilder tensors = new StringBuilder("{");
    StringBuilder pairs = new StringBuilder("{\"__metadata__\":{");
    for (int i = 0; i <= 100_000; i++) {
      tensors.append(entry("t" + i, "F32", "[0]", 0, 0)).append(',');
      pairs.append('"').append(i).append("\":\"\",");
    }
    IOException e = assertThrows(IOException.class, () -> open(file(tensors.toString(), 0)).close());
    assertTrue(e.getMessage().contains("lists more than 100000 tensors"), e.getMessage());
    e = assertThrows(IOException.class, () -> open(file(pairs.toString(), 0)).close());
    assertTrue(e.getMessage().contains("has more than 100000 metadata pairs"), e.getMessage());
  }

  @Test
  void namesAMissingFile() {
    Path missing = folder.resolve("missing.safetensors");
    IOException e = assertThrows(IOException.class, () -> SafetensorsFile.open(missing));
    assertEquals(missing + ": there is no such file", e.getMessage());
  }

  @Test
  void readsBeyondTwoGibibytes() throws IOException {
    Path path = folder.resolve("large.safetensors");
    long padding = 3L << 30;
    byte[] head = file("{" + entry("hole", "U8", "[" + padding + "]", 0, padding) + ","
        + entry("end", "I64", "[1]", padding, padding + 8) + "}", 0);
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) { // takes no room on the disk
      sparse.write(head);
      sparse.seek(head.length + padding);
      sparse.writeLong(Long.reverseBytes(42));
    }
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertArrayEquals(new long[] {42}, file.readLongs("end"));
    }
  }

  @Test
  void aTensorTooLongForAnArrayIsRefused() throws IOException {
    Path path = folder.resolve("long.safetensors");
    long elements = 1L << 31;
    byte[] head = file("{" + entry("x", "F16", "[" + elements + "]", 0, 2 * elements) + "}", 0);
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.write(head);
      sparse.setLength(head.length + 2 * elements);
    }
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      IOException e = assertThrows(IOException.class, () -> file.readHalves("x"));
      assertTrue(e.getMessage().contains("more elements than a Java array"), e.getMessage());
    }
  }

  @Test
  void aFileCutWhileOpenIsAnError() throws IOException {
    try (SafetensorsFile file = open(file("{" + entry("a", "F32", "[2]", 0, 8) + "}", 8))) {
      try (RandomAccessFile same = new RandomAccessFile(folder.resolve("x.safetensors").toFile(), "rw")) {
        same.setLength(same.length() - 3);
      }
      IOException e = assertThrows(IOException.class, () -> file.readFloats("a"));
      assertTrue(e.getMessage().contains("shorter than when it was opened"), e.getMessage());
    }
  }

  private SafetensorsFile open(byte[] bytes) throws IOException {
    Path path = folder.resolve("x.safetensors");
    Files.write(path, bytes);
    return SafetensorsFile.open(path);
  }

  private static byte[] patch(byte[] bytes, int at, int... values) {
    for (int value : values) {
      bytes[at++] = (byte) value;
    }
    return bytes;
  }
}
