package org.diffusionrpo.rpo.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.rpo.report.MetricsLog.Entry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsLogTest {
  @TempDir private Path folder;

  @Test
  void whatIsWrittenIsReadInOrderWithAllDigits() throws IOException {
    Path file = folder.resolve("metrics.jsonl");
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss", 0.1 + 0.2);
    values.put("tiny", Double.MIN_VALUE);
    values.put("a", Double.NaN);
    values.put("b", Double.NEGATIVE_INFINITY);
    try (MetricsLog log = MetricsLog.continueAfter(file, 0)) {
      log.append(new Entry(1, values));
      log.append(new Entry(2, Map.of("loss", 0.5)));
    }
    List<Entry> read = MetricsLog.read(file);
    assertEquals(List.of(new Entry(1, values), new Entry(2, Map.of("loss", 0.5))), read);
    assertEquals(List.copyOf(values.keySet()), List.copyOf(read.get(0).values().keySet()));
    assertTrue(Files.readString(file).startsWith("{\"step\":1,\"loss\":0.30000000000000004,"));
  }

  @Test
  void everyLineIsInTheFileBeforeTheNextStep() throws IOException {
    Path file = folder.resolve("metrics.jsonl");
    try (MetricsLog log = MetricsLog.continueAfter(file, 0)) {
      log.append(new Entry(1, Map.of("loss", 1.0)));
      assertEquals(1, MetricsLog.read(file).size());
    }
  }

  @Test
  void resumeCutsLaterStepsAndTheTornLine() throws IOException {
    Path file = written(5);
    Files.writeString(file, "{\"step\":6,\"lo", StandardOpenOption.APPEND);
    assertEquals(5, MetricsLog.read(file).size());
    try (MetricsLog log = MetricsLog.continueAfter(file, 3)) {
      log.append(new Entry(4, Map.of("loss", 40.0)));
    }
    List<Entry> read = MetricsLog.read(file);
    assertEquals(List.of(1L, 2L, 3L, 4L), read.stream().map(Entry::step).toList());
    assertEquals(40, read.get(3).values().get("loss"));
  }

  @Test
  void resumeAtTheLastStepKeepsAllButTheTornLine() throws IOException {
    Path file = written(3);
    String whole = Files.readString(file);
    Files.writeString(file, "{\"step\":4}", StandardOpenOption.APPEND);
    MetricsLog.continueAfter(file, 3).close();
    assertEquals(whole, Files.readString(file));
  }

  @Test
  void aFreshRunStartsEmpty() throws IOException {
    Path file = written(3);
    MetricsLog.continueAfter(file, 0).close();
    assertEquals(0, Files.size(file));
  }

  @Test
  void aDamagedLineIsNamed() throws IOException {
    Path file = written(2);
    Files.writeString(file, "garbage\n", StandardOpenOption.APPEND);
    var error = assertThrows(IOException.class, () -> MetricsLog.read(file));
    assertTrue(error.getMessage().contains("metrics.jsonl, line 3"), error.getMessage());
    Files.writeString(file, "{\"loss\":1}\n");
    assertThrows(IOException.class, () -> MetricsLog.read(file));
    Files.writeString(file, "{\"step\":1,\"loss\":\"much\"}\n");
    assertThrows(IOException.class, () -> MetricsLog.read(file));
  }

  private Path written(int steps) throws IOException {
    Path file = folder.resolve("metrics.jsonl");
    try (MetricsLog log = MetricsLog.continueAfter(file, 0)) {
      for (int step = 1; step <= steps; step++) {
        log.append(new Entry(step, Map.of("loss", (double) step)));
      }
    }
    return file;
  }
}
