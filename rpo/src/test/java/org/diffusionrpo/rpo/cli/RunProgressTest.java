package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Map;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.rpo.loss.LossMetric;
import org.diffusionrpo.tensor.ChildJvm;
import org.junit.jupiter.api.Test;

class RunProgressTest {
  @Test
  void barOnATerminalShowsSmoothedLossAndImplicitAccuracy() throws IOException, InterruptedException {
    String shown = ChildJvm.runPlain(Terminal.class, "-Ddrpo.columns=160");
    assertTrue(shown.startsWith("Aligning"), shown);
    assertTrue(shown.contains("aligning") && shown.contains("2/4"), shown);
    assertTrue(shown.contains("loss 0.7600, implicit accuracy 90%"), shown);
  }

  /** Two of four updates. Each virtual machine has one terminal, or none as the one that runs the tests. */
  static final class Terminal {
    private Terminal() {}

    public static void main(String[] args) {
      System.setErr(System.out); // where the bar is drawn
      try (RunProgress progress = new RunProgress(new PrintWriter(System.out))) {
        progress.onPhase("Aligning");
        progress.onStep(report(1, 0.8, 1));
        progress.onStep(report(2, 0.4, 0));
      }
    }

    private static StepReport report(int step, double loss, double accuracy) {
      return new StepReport(step, 4, 1, 1e-5, 1, null,
          Map.of(TrainLoop.LOSS, loss, LossMetric.IMPLICIT_ACCURACY.key(), accuracy));
    }
  }
}
