package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.diffusionrpo.tensor.Philox;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run that stops and goes on ends with the same bits as one that does not stop. */
class ResumeTest {
  private static final int STEPS = 40;
  private static final int KILLS = 3;

  /** A child dies after so many updates at most, and so long after the last: anywhere in an update or a checkpoint. */
  private static final int MAX_UPDATES = 5;
  private static final int MAX_DELAY_MILLIS = 15;

  @TempDir
  private Path folder;

  @Test
  void fiveUpdatesStopAndFiveMoreEqualTenBitForBit() throws IOException {
    Path whole = folder.resolve("whole");
    assertEquals(10, TinyRun.run(whole, 10, 100, TrainListener.SILENT));
    Path parts = folder.resolve("parts");
    assertEquals(5, TinyRun.run(parts, 10, 100, cancelAfter(5)));
    assertNotEquals(TinyRun.hash(whole, 10), TinyRun.hash(parts, 5));
    assertEquals(10, TinyRun.run(parts, 10, 100, TrainListener.SILENT));
    assertEquals(TinyRun.hash(whole, 10), TinyRun.hash(parts, 10));
  }

  @Test
  void aRunKilledAtRandomMomentsEndsWithTheSameBits() throws Exception {
    Path whole = folder.resolve("whole");
    finish(start(whole));
    Path killed = folder.resolve("killed");
    Philox random = Philox.stream(8, "kill", 0);
    for (int kill = 0; kill < KILLS; kill++) {
      killAfter(start(killed), 1 + random.nextInt(MAX_UPDATES), random.nextInt(MAX_DELAY_MILLIS));
      assertFalse(Files.exists(killed.resolve("step-%08d".formatted(STEPS))), "killed before its end");
    }
    finish(start(killed));
    assertEquals(TinyRun.hash(whole, STEPS), TinyRun.hash(killed, STEPS));
  }

  private static TrainListener cancelAfter(int steps) {
    return new TrainListener() {
      private int made;

      @Override
      public void onStep(StepReport report) {
        made++;
      }

      @Override
      public boolean cancelled() {
        return made >= steps;
      }
    };
  }

  /** Without the Vector API and the second compiler, which are not worth their warm-up here. */
  private Process start(Path run) throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return new ProcessBuilder(java, "-XX:TieredStopAtLevel=1", "-Xmx256m", "-XX:+UseSerialGC", "-cp",
        System.getProperty("java.class.path"), TinyRun.class.getName(), run.toString(), Integer.toString(STEPS), "2")
        .redirectError(folder.resolve("errors.txt").toFile()).start();
  }

  private void finish(Process child) throws IOException, InterruptedException {
    child.getInputStream().transferTo(OutputStream.nullOutputStream());
    assertTrue(child.waitFor(1, TimeUnit.MINUTES));
    assertEquals(0, child.exitValue(), () -> "the child failed: " + errors());
  }

  /** Lets the child make so many updates of its own, waits and kills it the hard way. */
  private void killAfter(Process child, int updates, int millis) throws IOException, InterruptedException {
    try (BufferedReader lines = child.inputReader(StandardCharsets.UTF_8)) {
      for (int i = 0; i < updates; i++) {
        assertNotNull(lines.readLine(), () -> "the child ended by itself: " + errors());
      }
      Thread.sleep(millis);
      child.destroyForcibly();
      assertTrue(child.waitFor(1, TimeUnit.MINUTES));
    }
  }

  private String errors() {
    try {
      return Files.readString(folder.resolve("errors.txt"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
