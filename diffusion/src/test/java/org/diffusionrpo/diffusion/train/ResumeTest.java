package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    program(whole).finish();
    Path killed = folder.resolve("killed");
    Philox random = Philox.stream(8, "kill", 0);
    for (int kill = 0; kill < KILLS; kill++) {
      program(killed).killAfter(1 + random.nextInt(MAX_UPDATES), random.nextInt(MAX_DELAY_MILLIS));
      assertFalse(Files.exists(killed.resolve("step-%08d".formatted(STEPS))), "killed before its end");
    }
    program(killed).finish();
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

  private MortalProgram program(Path run) {
    return new MortalProgram(folder.resolve("errors.txt"), TinyRun.class, run.toString(), Integer.toString(STEPS), "2");
  }
}
