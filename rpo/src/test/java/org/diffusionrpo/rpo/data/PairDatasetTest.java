package org.diffusionrpo.rpo.data;

import static org.diffusionrpo.rpo.data.TestPairs.BLUE;
import static org.diffusionrpo.rpo.data.TestPairs.RED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PairDatasetTest {
  private static final int PAIRS = 7;

  @TempDir Path folder;

  private Path sevenPairs() throws IOException {
    Path file = folder.resolve("pairs.parquet");
    try (ParquetPairWriter writer = new ParquetPairWriter(file)) {
      for (int i = 0; i < PAIRS; i++) {
        writer.accept(new PreferencePair(RED, BLUE, "dot " + i, "ignored"));
      }
    }
    return file;
  }

  @Test void aLimitStopsTheReading() throws IOException {
    Path file = sevenPairs();
    assertEquals(PAIRS, PairDataset.load(file, Integer.MAX_VALUE).size());
    PairDataset three = PairDataset.load(file, 3);
    assertEquals(3, three.size());
    assertEquals("dot 2", three.pairs().get(2).caption());
    assertEquals(3, three.report().pairs());
    assertThrows(IllegalArgumentException.class, () -> PairDataset.load(file, 0));
  }

  @Test void moreThanTheMemoryHoldsIsRefusedBeforeItFails() throws IOException {
    Path file = sevenPairs();
    long three = 3L * (RED.length + BLUE.length);
    IOException error = assertThrows(IOException.class, () -> PairDataset.load(file, PAIRS, three));
    assertTrue(error.getMessage().startsWith(file + ": its first 4 pairs already hold more than 0 MiB"),
        error.getMessage());
  }

  @Test void dataWithoutAnyUsablePairIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("pairs.csv"), "caption,winner,loser\na,b.png,c.png\n");
    IOException error = assertThrows(IOException.class, () -> PairDataset.load(file, 1));
    assertTrue(error.getMessage().startsWith(file + ": no usable pair: 0 pairs"), error.getMessage());
  }

  @Test void aPathThatDoesNotExistIsNamed() {
    Path path = folder.resolve("nowhere");
    IOException error = assertThrows(IOException.class, () -> PairDataset.load(path, 1));
    assertEquals(path + ": no such file or folder", error.getMessage());
  }

  @Test void theReportNamesTheFirstFaultsAndCountsTheRest() {
    LoadReport report = new LoadReport();
    for (int i = 0; i < LoadReport.NAMED + 5; i++) {
      report.addUnreadable("image " + i);
    }
    assertEquals(LoadReport.NAMED, report.unreadableNames().size());
    assertTrue(report.toString().endsWith("image 19\n  and 5 more like this"), report.toString());
  }
}
