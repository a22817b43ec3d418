package org.diffusionrpo.tensor.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cpu.HalfFloats;
import org.diffusionrpo.tensor.Philox;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  /** More than one chunk of every element width, and no multiple of one. */
  private static final int LONG = 150_001;

  @TempDir Path folder;

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    Path path = folder.resolve("new/folder/x.safetensors");
    float[] floats = new float[LONG];
    Philox.stream(1, "write", 0).fillGaussian(floats);
    short[] halves = new short[LONG];
    long[] longs = new long[LONG];
    Philox random = Philox.stream(1, "write", 1);
    for (int i = 0; i < LONG; i++) {
      halves[i] = (short) random.nextInt();
      longs[i] = random.nextLong();
    }
    List<TensorInfo> infos = List.of(TensorInfo.of("f32", DType.F32, LONG), TensorInfo.of("f16", DType.F16, LONG),
        TensorInfo.of("bf16", DType.BF16, LONG), TensorInfo.of("raw", DType.F16, LONG),
        TensorInfo.of("i64", DType.I64, LONG), TensorInfo.of("\"\\\n\u00e9", DType.F32),
        TensorInfo.of("empty", DType.F32, 0));
    try (TensorSink sink = SafetensorsWriter.create(path, infos, Map.of("step", "7"))) {
      sink.writeHalves("raw", halves);
      sink.writeFloats("f32", floats);
      sink.writeFloats("f16", floats);
      sink.writeFloats("bf16", floats);
      sink.writeLongs("i64", longs);
      sink.writeFloats("\"\\\n\u00e9", new float[] {3});
      sink.writeFloats("empty", new float[0]);
      sink.commit();
    }
    try (TensorSource source = TensorSource.open(path)) {
      assertEquals(List.of("i64", "\"\\\n\u00e9", "empty", "f32", "bf16", "f16", "raw"), List.copyOf(source.names()));
      assertEquals(Map.of("format", "pt", "step", "7"), source.metadata());
      assertArrayEquals(floats, source.readFloats("f32"));
      assertArrayEquals(longs, source.readLongs("i64"));
      assertArrayEquals(halves, source.readHalves("raw"));
      assertArrayEquals(new float[] {3}, source.readFloats("\"\\\n\u00e9"));
      float[] fp16 = source.readFloats("f16");
      float[] bf16 = source.readFloats("bf16");
      for (int i = 0; i < LONG; i++) {
        assertEquals(HalfFloats.fromFp16(HalfFloats.toFp16(floats[i])), fp16[i]);
        assertEquals(HalfFloats.fromBf16(HalfFloats.toBf16(floats[i])), bf16[i]);
      }
    }
  }

  @Test
  void bytesAreThoseOfTheFormat() throws IOException {
    Path path = folder.resolve("x.safetensors");
    try (TensorSink sink = SafetensorsWriter.create(
        path, List.of(TensorInfo.of("h", DType.BF16, 1), TensorInfo.of("f", DType.F32, 1, 1)))) {
      sink.writeFloats("h", new float[] {-2});
      sink.writeFloats("f", new float[] {1});
      sink.commit();
    }
    String header = "{\"__metadata__\":{\"format\":\"pt\"},"
        + "\"f\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]},"
        + "\"h\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[4,6]}}";
    int padded = (header.length() + 7) / 8 * 8;
    byte[] text = (header + " ".repeat(padded - header.length())).getBytes(StandardCharsets.UTF_8);
    ByteBuffer expected = ByteBuffer.allocate(8 + padded + 6).order(ByteOrder.LITTLE_ENDIAN);
    expected.putLong(padded).put(text).putInt(0x3F800000).putShort((short) 0xC000);
    assertArrayEquals(expected.array(), Files.readAllBytes(path));
  }

  @Test
  void nothingAppearsWithoutCommit() throws IOException {
    Path path = folder.resolve("x.safetensors");
    Files.writeString(path, "old");
    try (TensorSink sink = SafetensorsWriter.create(path, List.of(TensorInfo.of("a", DType.F32, 2)))) {
      IllegalStateException e = assertThrows(IllegalStateException.class, sink::commit);
      assertTrue(e.getMessage().contains("tensor \"a\" was announced but not written"), e.getMessage());
    }
    assertEquals("old", Files.readString(path));
    assertEquals(1, files());
  }

  @Test
  void whatWasNotAnnouncedIsRefused() throws IOException {
    Path path = folder.resolve("x.safetensors");
    TensorInfo info = TensorInfo.of("a", DType.F32, 2);
    try (TensorSink sink = SafetensorsWriter.create(path, List.of(info))) {
      assertRefused("was not announced", () -> sink.writeFloats("b", new float[2]));
      assertRefused("cannot be written from float[3]", () -> sink.writeFloats("a", new float[3]));
      assertRefused("cannot be written from half[2]", () -> sink.writeHalves("a", new short[2]));
      assertRefused("cannot be written from long[2]", () -> sink.writeLongs("a", new long[2]));
      sink.writeFloats("a", new float[2]);
      assertRefused("was already written", () -> sink.writeFloats("a", new float[2]));
    }
    assertRefused("\"a\" is already taken", () -> SafetensorsWriter.create(path, List.of(info, info)));
    assertRefused("none of the types", () -> SafetensorsWriter.create(path, List.of(TensorInfo.of("a", DType.U8, 1))));
    assertRefused("negative axis", () -> TensorInfo.of("a", DType.F32, -1));
    assertEquals(0, files());
  }

  @Test
  void shardsStayBelowTheirLimitAndTheIndexFindsEachTensor() throws IOException {
    List<TensorInfo> infos = List.of(TensorInfo.of("a", DType.F32, 2), TensorInfo.of("b", DType.F32, 3),
        TensorInfo.of("c", DType.F32, 9), TensorInfo.of("d", DType.F16, 1), TensorInfo.of("e", DType.F32, 4));
    Files.writeString(folder.resolve("model.safetensors"), "stale");
    try (TensorSink sink = ShardedSafetensorsWriter.create(folder, "model", infos, 20)) {
      for (int i = infos.size() - 1; i >= 0; i--) {
        sink.writeFloats(infos.get(i).name(), filled((int) infos.get(i).elements(), i));
      }
      sink.commit();
    }
    assertEquals(4, files()); // three shards, one index, and the stale file is gone
    try (TensorSource source = TensorSource.open(folder, "model", "fp16")) {
      for (int i = 0; i < infos.size(); i++) {
        assertEquals(infos.get(i), source.info(infos.get(i).name()));
        assertArrayEquals(filled((int) infos.get(i).elements(), i), source.readFloats(infos.get(i).name()));
      }
      assertEquals(5, source.names().size());
      assertRefused("has no tensor \"f\"", () -> source.readFloats("f"));
    }
    try (TensorSource second = TensorSource.open(folder.resolve("model-00002-of-00003.safetensors"))) {
      assertEquals(List.of("c"), List.copyOf(second.names()));
    }
    String index = Files.readString(folder.resolve("model.safetensors.index.json"));
    assertTrue(index.contains("\"total_size\" : 74"), index);
  }

  @Test
  void oneShardIsAPlainFile() throws IOException {
    Files.writeString(folder.resolve("model.safetensors.index.json"), "stale");
    try (TensorSink sink = ShardedSafetensorsWriter.create(
        folder, "model", List.of(TensorInfo.of("a", DType.F32, 2)), ShardedSafetensorsWriter.DEFAULT_MAX_SHARD_BYTES)) {
      sink.writeFloats("a", new float[2]);
      sink.commit();
    }
    assertTrue(Files.exists(folder.resolve("model.safetensors")));
    assertEquals(1, files());
  }

  @Test
  void variantIsTakenWhenThereIsOne() throws IOException {
    for (String name : List.of("model.safetensors", "model.fp16.safetensors")) {
      try (TensorSink sink = SafetensorsWriter.create(
          folder.resolve(name), List.of(TensorInfo.of(name, DType.F32, 0)))) {
        sink.writeFloats(name, new float[0]);
        sink.commit();
      }
    }
    assertEquals("model.fp16.safetensors", onlyName("fp16"));
    assertEquals("model.safetensors", onlyName("bf16"));
    assertEquals("model.safetensors", onlyName(null));
    IOException e = assertThrows(IOException.class, () -> TensorSource.open(folder, "unet", null));
    assertTrue(e.getMessage().contains("one of unet.safetensors, unet.safetensors.index.json"), e.getMessage());
  }

  @Test
  void indexesThatDoNotFitTheirShardsAreRefused() throws IOException {
    for (String name : List.of("one", "two")) {
      try (TensorSink sink = SafetensorsWriter.create(folder.resolve(name + ".safetensors"),
          List.of(TensorInfo.of(name, DType.F32, 0), TensorInfo.of("both", DType.F32, 0)))) {
        sink.writeFloats(name, new float[0]);
        sink.writeFloats("both", new float[0]);
        sink.commit();
      }
    }
    assertIndexRefused("\"both\" is in both", "{\"one\":\"one.safetensors\",\"two\":\"two.safetensors\"}");
    assertIndexRefused("\"two\" is not in \"one.safetensors\"", "{\"two\":\"one.safetensors\"}");
    assertIndexRefused("which does not exist", "{\"one\":\"three.safetensors\"}");
    String detour = "../" + folder.getFileName() + "/one.safetensors";
    assertIndexRefused("is not the name of a safetensors file", "{\"one\":\"" + detour + "\"}");
    assertIndexRefused("is not the name of a safetensors file", "{\"one\":\"one.bin\"}");
    assertIndexRefused("names no file for tensor \"one\"", "{\"one\":null}");
    assertIndexRefused("Duplicate field 'one'", "{\"one\":\"one.safetensors\",\"one\":\"one.safetensors\"}");
    assertIndexRefused("weight_map is not an object", "[]");
  }

  private void assertIndexRefused(String fault, String weightMap) throws IOException {
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(index, "{\"metadata\":{},\"weight_map\":" + weightMap + "}");
    IOException e = assertThrows(IOException.class, () -> TensorSource.open(index));
    assertTrue(e.getMessage().startsWith(index + ": ") && e.getMessage().contains(fault), e.getMessage());
  }

  private String onlyName(String variant) throws IOException {
    try (TensorSource source = TensorSource.open(folder, "model", variant)) {
      return source.names().iterator().next();
    }
  }

  private long files() throws IOException {
    try (Stream<Path> list = Files.list(folder)) {
      return list.count();
    }
  }

  private static float[] filled(int length, float value) {
    float[] values = new float[length];
    Arrays.fill(values, value);
    return values;
  }

  private static void assertRefused(String fault, Executable action) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, action);
    assertTrue(e.getMessage().contains(fault), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }
}
