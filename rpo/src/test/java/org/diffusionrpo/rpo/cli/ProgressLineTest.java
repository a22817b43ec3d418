package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
  @Test
  void withoutTerminalALineComesEveryTenSecondsAndTellsTheTimeLeft() {
    long[] now = {0};
    StringWriter err = new StringWriter();
    try (ProgressLine progress = new ProgressLine(new PrintWriter(err), "align", 100, null, () -> now[0])) {
      for (int step = 1; step <= 25; step++) {
        now[0] += 1_000_000_000L;
        progress.update(step, "loss 0.5");
      }
    }
    assertEquals("align: 10 of 100 (10%), 90 s left, loss 0.5\nalign: 20 of 100 (20%), 80 s left, loss 0.5\n",
        err.toString().replace(System.lineSeparator(), "\n"));
  }

  @Test
  void resumedRunCountsOnlyItsOwnStepsForTheTimeLeft() {
    long[] now = {0};
    StringWriter err = new StringWriter();
    ProgressLine progress = new ProgressLine(new PrintWriter(err), "align", 100, null, () -> now[0]);
    progress.update(81, "");
    now[0] = 20_000_000_000L;
    progress.update(90, "");
    assertEquals("align: 90 of 100 (90%), 20 s left", err.toString().strip());
  }

  @Test
  void durationsAreReadable() {
    assertEquals("75 s", ProgressLine.duration(75));
    assertEquals("12 min", ProgressLine.duration(725));
    assertEquals("3 h 20 min", ProgressLine.duration(12_000));
  }
}
