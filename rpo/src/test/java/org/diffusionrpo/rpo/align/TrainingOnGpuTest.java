package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.diffusionrpo.rpo.report.RunReport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole runs on the GPU: the loss curve of the CPU, the same bits at every run, checkpoints that either continues. */
@NeedsGpu
class TrainingOnGpuTest {
  private static final int STEPS = 5;
  private static final int STOP = 3;

  /**
   * Of losses and gradient norms, relative: rounding differs, and beta = 100 multiplies the differences of errors of the
   * network, so the 1e-6 of a forward pass.
   */
  private static final double TOLERANCE = 1e-4;

  @TempDir static Path folder;
  private static TinyRuns runs;

  @BeforeAll
  static void create() throws IOException {
    runs = TinyRuns.create(folder);
  }

  @ParameterizedTest
  @EnumSource
  void learnsAsOnTheCpuAndWithTheSameBitsWhenStoppedAndResumed(AlignSettings.Objective objective) throws IOException {
    RunOutcome onCpu = finish(settings("cpu-" + objective, objective, "cpu"));
    RunOutcome onGpu = finish(settings("gpu-" + objective, objective, "cuda"));
    assertClose(onCpu.metrics(), onGpu.metrics());

    AlignSettings stopped = settings("stopped-" + objective, objective, "cuda");
    stop(stopped);
    stopped.resume = true;
    RunOutcome.assertSame(onGpu, finish(stopped));
  }

  @Test
  void continuesFromACheckpointOfTheCpu() throws IOException {
    RunOutcome onCpu = finish(settings("cpu", AlignSettings.Objective.RPO, "cpu"));
    AlignSettings moved = settings("moved", AlignSettings.Objective.RPO, "cpu");
    stop(moved);
    moved.backend = "cuda";
    moved.resume = true;
    assertClose(onCpu.metrics(), finish(moved).metrics());
  }

  private static AlignSettings settings(String name, AlignSettings.Objective objective, String backend) {
    AlignSettings settings = runs.settings(name);
    settings.objective = objective;
    settings.backend = backend;
    settings.steps = STEPS;
    settings.batch = 2;
    settings.samples = 0;
    settings.ema = 0.9;
    return settings;
  }

  private static RunOutcome finish(AlignSettings settings) throws IOException {
    assertTrue(TestGpu.with(() -> AlignRun.run(settings, AlignListener.SILENT)).finished());
    return RunOutcome.of(settings.out, STEPS);
  }

  private static void stop(AlignSettings settings) throws IOException {
    assertFalse(TestGpu.with(() -> AlignRun.run(settings, new StopAfter(STOP))).finished());
  }

  private static void assertClose(List<MetricsLog.Entry> expected, List<MetricsLog.Entry> actual) {
    assertEquals(STEPS, actual.size());
    for (int i = 0; i < STEPS; i++) {
      for (String name : List.of(TrainLoop.LOSS, RunReport.GRADIENT_NORM)) {
        double value = expected.get(i).values().get(name);
        assertEquals(value, actual.get(i).values().get(name), TOLERANCE * value, name + " of update " + (i + 1));
      }
    }
  }

  /** Cancels after an update. */
  private static final class StopAfter implements AlignListener {
    private final int last;
    private boolean made;

    private StopAfter(int last) {
      this.last = last;
    }

    @Override
    public void onStep(StepReport report) {
      made |= report.step() == last;
    }

    @Override
    public boolean cancelled() {
      return made;
    }
  }
}
