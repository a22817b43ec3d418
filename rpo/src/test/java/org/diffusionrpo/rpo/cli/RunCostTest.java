package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunCostTest {
  @TempDir Path folder;

  @Test
  void theMiddleUpdateIsQuoted() throws IOException {
    Path log = folder.resolve("metrics.jsonl");
    Files.writeString(log, """
        {"step": 1, "loss": 0.7, "seconds_per_step": 90}
        {"step": 2, "loss": 0.6, "seconds_per_step": 1.25}
        {"step": 3, "loss": 0.5, "seconds_per_step": 1}
        """);
    assertTrue(RunCost.describe(log).startsWith("1.25 s per update (median)"), RunCost.describe(log));
  }

  @Test
  void peakMemoryIsTheHighWaterMark() {
    assertEquals(OptionalLong.of(2048L * 1024), RunCost.peakMemory(List.of("VmRSS:\t    1024 kB", "VmHWM:\t    2048 kB")));
    assertEquals(OptionalLong.empty(), RunCost.peakMemory(List.of()));
  }
}
