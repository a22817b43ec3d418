package org.diffusionrpo.tensor.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.tensor.Philox;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged files give a read that is valid or an IOException of one line with the file's name, and nothing else. */
class SafetensorsFuzzTest {
  private static final int CASES = 3000;
  private static final String[] SNIPPETS = {
      "{", "}", "[", "]", ",", ":", "\"", "-", "0", "9", "1e9", "99999999999999999999", "null", "\\u0000", "\\ud800",
      "\"__metadata__\":{},", "\"shape\":", "data_offsets", "F32", "F4", "[[[[", "\n", "\u00e9"};

  @TempDir Path folder;

  @Test
  void damagedFilesNeverBreakTheReader() throws IOException {
    Path path = folder.resolve("fuzz.safetensors");
    byte[] valid = valid(path);
    int read = 0;
    for (int i = 0; i < CASES; i++) {
      Philox random = Philox.stream(1, "fuzz", i);
      Files.write(path, mutate(valid, random));
      read += readsOrFails(path, path) ? 1 : 0;
    }
    assertTrue(read > 0 && read < CASES, read + " of " + CASES + " damaged files read: the mutations test nothing");
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    Path path = folder.resolve("cut.safetensors");
    byte[] valid = valid(path);
    for (int length = 0; length < valid.length; length++) {
      Files.write(path, Arrays.copyOf(valid, length));
      assertFalse(readsOrFails(path, path), "read a file cut to " + length + " bytes");
    }
  }

  @Test
  void damagedIndexesNeverBreakTheReader() throws IOException {
    List<TensorInfo> infos = List.of(TensorInfo.of("a", DType.F32, 3), TensorInfo.of("b", DType.F32, 2, 2));
    try (TensorSink sink = ShardedSafetensorsWriter.create(folder, "model", infos, 13)) {
      sink.writeFloats("a", new float[3]);
      sink.writeFloats("b", new float[4]);
      sink.commit();
    }
    Path index = folder.resolve("model.safetensors.index.json");
    byte[] valid = Files.readAllBytes(index);
    int read = 0;
    for (int i = 0; i < CASES / 4; i++) {
      Files.write(index, mutate(valid, Philox.stream(2, "fuzz", i)));
      read += readsOrFails(index, folder) ? 1 : 0;
    }
    assertTrue(read > 0 && read < CASES / 4, read + " damaged indexes read");
  }

  private static byte[] valid(Path path) throws IOException {
    List<TensorInfo> infos = List.of(TensorInfo.of("long", DType.I64, 3), TensorInfo.of("float", DType.F32, 2, 5),
        TensorInfo.of("half", DType.F16, 3), TensorInfo.of("brain", DType.BF16, 1, 3),
        TensorInfo.of("none", DType.F32, 0));
    try (TensorSink sink = SafetensorsWriter.create(path, infos, Map.of("key", "value"))) {
      sink.writeLongs("long", new long[] {1, -2, 3});
      sink.writeFloats("float", new float[10]);
      sink.writeFloats("half", new float[] {1, 2, 3});
      sink.writeFloats("brain", new float[] {1, 2, 3});
      sink.writeFloats("none", new float[0]);
      sink.commit();
    }
    return Files.readAllBytes(path);
  }

  /** One to three changes: bytes, bits, cuts, insertions of JSON, swapped parts, a wrong header length. */
  private static byte[] mutate(byte[] valid, Philox random) {
    byte[] bytes = valid.clone();
    for (int changes = 1 + random.nextInt(3); changes > 0 && bytes.length > 0; changes--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(6)) {
        case 0 -> bytes[at] = (byte) random.nextInt();
        case 1 -> bytes[at] ^= 1 << random.nextInt(8);
        case 2 -> bytes = splice(bytes, at, random.nextInt(bytes.length - at + 1), new byte[0]);
        case 3 -> bytes = splice(bytes, at, 0, snippet(random));
        case 4 -> bytes = splice(bytes, at, Math.min(bytes.length - at, 1 + random.nextInt(4)), snippet(random));
        default -> bytes[random.nextInt(Math.min(8, bytes.length))] = (byte) random.nextInt();
      }
    }
    if (random.nextInt(2) == 0 && bytes.length > 8) { // let the damage reach the parser: mend the length
      int brace = bytes.length - 1;
      while (brace > 8 && bytes[brace] != '}') {
        brace--;
      }
      for (int i = 0; i < 8; i++) {
        bytes[i] = (byte) ((long) (brace - 7) >>> 8 * i);
      }
    }
    return bytes;
  }

  private static byte[] snippet(Philox random) {
    return SNIPPETS[random.nextInt(SNIPPETS.length)].getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] splice(byte[] bytes, int at, int remove, byte[] insert) {
    byte[] out = Arrays.copyOf(bytes, bytes.length - remove + insert.length);
    System.arraycopy(insert, 0, out, at, insert.length);
    System.arraycopy(bytes, at + remove, out, at + insert.length, bytes.length - at - remove);
    return out;
  }

  private static boolean readsOrFails(Path path, Path named) {
    try (TensorSource source = TensorSource.open(path)) {
      for (String name : source.names()) {
        TensorInfo info = source.info(name);
        if (info.dtype().isFloat()) {
          assertEquals(info.elements(), source.readFloats(name).length);
        }
      }
      return true;
    } catch (IOException e) {
      assertTrue(e.getMessage().startsWith(named.toString()), e.getMessage());
      assertFalse(e.getMessage().matches("(?s).*[\\r\\n].*"), e.getMessage());
      return false;
    }
  }
}
