package org.diffusionrpo.bench.jmh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CompareJmhTest {
  private static final Path BEFORE = Path.of("src", "test", "resources", "jmh", "before.json");
  private static final Path AFTER = Path.of("src", "test", "resources", "jmh", "after.json");

  @TempDir Path folder;

  @Test
  void onlyChangesBeyondBothErrorsAreCalledChanges() throws IOException {
    assertEquals(List.of(
        "benchmark                                                      before                after  unit       ratio",
        "NormBenchmark.layerNormForward shape=2x4096x320       500.000 ±10.000      400.000 ±10.000  us/op      0.800"
            + "  faster",
        "NormBenchmark.layerNormForward shape=2x1024x640       250.000 ±10.000      265.000 ±10.000  us/op      1.060",
        "NormBenchmark.layerNormBackward shape=2x4096x320      900.000 ±20.000      990.000 ±20.000  us/op      1.100"
            + "  slower",
        "ElementwiseBenchmark.add thrpt                        1000.000 ±5.000      1100.000 ±5.000  ops/s      1.100"
            + "  faster",
        "ElementwiseBenchmark.adamW                                40.000 ±NaN          10.000 ±NaN  us/op      0.250"
            + "  error unknown",
        "ElementwiseBenchmark.gone                               40.000 ±1.000                    -  us/op          -"
            + "  only before",
        "ElementwiseBenchmark.fresh                                          -        40.000 ±1.000  us/op          -"
            + "  only after"), compare(BEFORE, AFTER));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[{\"benchmark\": 3}]", "[]", "{}", "[{", ""})
  void anotherFileIsRefusedByName(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("other.json"), text);
    IOException e = assertThrows(IOException.class, () -> compare(BEFORE, file));
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
  }

  @Test
  void differentUnitsAreRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("ms.json"), Files.readString(AFTER).replace("us/op", "ms/op"));
    IOException e = assertThrows(IOException.class, () -> compare(BEFORE, file));
    assertTrue(e.getMessage().contains("before in us/op, after in ms/op"), e.getMessage());
  }

  private static List<String> compare(Path before, Path after) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CompareJmh.compare(before, after, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
