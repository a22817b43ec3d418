package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainLoopTest {
  private static final double NAN = Double.NaN;

  @TempDir
  private Path folder;

  /** Remembers all reports and the weight after each, and may cancel. */
  private static final class Recorder implements TrainListener {
    private final OneWeight model;
    private final int cancelAfter;
    private final List<StepReport> reports = new ArrayList<>();
    private final List<float[]> values = new ArrayList<>();

    private Recorder(OneWeight model, int cancelAfter) {
      this.model = model;
      this.cancelAfter = cancelAfter;
    }

    @Override
    public void onStep(StepReport report) {
      reports.add(report);
      values.add(model.values());
    }

    @Override
    public boolean cancelled() {
      return reports.size() == cancelAfter;
    }

    private List<Integer> skippedSteps() {
      return reports.stream().filter(r -> r.skipped() != null).map(StepReport::step).toList();
    }
  }

  @Test
  void nanAndSpikesAreSkippedAndLeaveTheWeightsAlone() throws IOException {
    List<Double> norms = new ArrayList<>(Collections.nCopies(30, 1.0));
    norms.set(2, NAN);
    norms.set(20, 100.0);
    norms.set(25, Double.POSITIVE_INFINITY);
    try (OneWeight model = new OneWeight()) {
      Recorder recorder = new Recorder(model, -1);
      assertEquals(30, model.loop(30, folder, recorder).run(model.objective(norms), 0));
      assertEquals(List.of(3, 21, 26), recorder.skippedSteps());
      for (int step : new int[] {2, 20, 25}) {
        assertArrayEquals(recorder.values.get(step - 1), recorder.values.get(step), "update " + (step + 1));
      }
      assertEquals(27, model.state().optimizer().steps(), "skipped updates are not the optimizer's");
      for (float value : model.values()) {
        assertTrue(Float.isFinite(value));
      }
    }
  }

  @Test
  void tooManySkipsInARowStopTheRunWithAdvice() throws IOException {
    try (OneWeight model = new OneWeight()) {
      TrainLoop loop = model.loop(30, folder, TrainListener.SILENT);
      List<Double> norms = List.of(1., 1., 1., 1., 1., NAN, NAN, NAN);
      DivergedException e = assertThrows(DivergedException.class, () -> loop.run(model.objective(norms), 0));
      assertEquals("stopped after 3 updates in a row that could not be made (the loss is NaN); the last checkpoint is "
          + "of update 4. A lower learning rate or a smaller beta usually helps", e.getMessage());
      assertEquals(4, model.loop(30, folder, TrainListener.SILENT).resume());
    }
  }

  @Test
  void checkpointOfTheWeightsThatBrokeIsNotTheOneToResumeFrom() throws IOException {
    try (OneWeight model = new OneWeight()) {
      TrainLoop loop = model.loop(30, folder, TrainListener.SILENT);
      List<Double> norms = List.of(1., 1., 1., 1., 1., 1., 1., 1., NAN, NAN, NAN);
      DivergedException e = assertThrows(DivergedException.class, () -> loop.run(model.objective(norms), 0));
      assertTrue(e.getMessage().contains("the last checkpoint is of update 4"), e.getMessage());
      TrainLoop again = model.loop(30, folder, TrainListener.SILENT);
      assertEquals(4, again.resume());
      assertThrows(DivergedException.class, () -> again.run(model.objective(List.of(1., 1., 1., 1., NAN, NAN, NAN)), 4));
      assertEquals(4, model.loop(30, folder, TrainListener.SILENT).resume(), "what a run resumed from stays");
    }
  }

  @Test
  void runThatEndsWithoutAFiniteLossHasDivergedHoweverFewItsSkips() throws IOException {
    try (OneWeight model = new OneWeight()) {
      TrainLoop loop = model.loop(6, folder, TrainListener.SILENT);
      DivergedException e = assertThrows(DivergedException.class,
          () -> loop.run(model.objective(List.of(1., 1., 1., 1., 1., NAN)), 0));
      assertTrue(e.getMessage().startsWith("stopped after an update that could not be made (the loss is NaN); the last "
          + "checkpoint is of update 4"), e.getMessage());
    }
  }

  @Test
  void weightsThatTheLastUpdateBrokeAreNotSaved() throws IOException {
    try (OneWeight model = new OneWeight()) {
      TrainLoop loop = model.loop(6, folder, TrainListener.SILENT);
      TrainObjective objective = model.objective(List.of());
      DivergedException e = assertThrows(DivergedException.class, () -> loop.run(step -> {
        if (step == 5) {
          model.set(1, Float.NaN, 1);
        }
        return objective.accumulate(step);
      }, 0));
      assertTrue(e.getMessage().startsWith("stopped after update 6 (it left weight with NaN); the last checkpoint is of "
          + "update 4"), e.getMessage());
      assertEquals(4, model.loop(30, folder, TrainListener.SILENT).resume());
    }
  }

  @Test
  void withoutACheckpointTheAdviceSaysSo() {
    try (OneWeight model = new OneWeight()) {
      TrainLoop loop = model.loop(30, folder, TrainListener.SILENT);
      DivergedException e = assertThrows(DivergedException.class,
          () -> loop.run(model.objective(List.of(NAN, NAN, NAN)), 0));
      assertTrue(e.getMessage().contains("there is no checkpoint yet"), e.getMessage());
    }
  }

  @Test
  void cancellationSavesAtOnce() throws IOException {
    try (OneWeight model = new OneWeight()) {
      Recorder recorder = new Recorder(model, 6);
      assertEquals(6, model.loop(30, folder, recorder).run(model.objective(List.of()), 0));
      float[] values = model.values();
      try (OneWeight other = new OneWeight()) {
        assertEquals(6, other.loop(30, folder, TrainListener.SILENT).resume());
        assertArrayEquals(values, other.values());
      }
    }
  }

  @Test
  void aRunThatIsDoneMakesNoMoreUpdates() throws IOException {
    try (OneWeight model = new OneWeight()) {
      model.loop(5, folder, TrainListener.SILENT).run(model.objective(List.of()), 0);
      Recorder recorder = new Recorder(model, -1);
      TrainLoop loop = model.loop(5, folder, recorder);
      assertEquals(5, loop.run(model.objective(List.of()), loop.resume()));
      assertTrue(recorder.reports.isEmpty());
    }
  }

  @Test
  void theGuardRemembersItsNormsAndSkipsOverAResume() throws IOException {
    List<Double> norms = new ArrayList<>(Collections.nCopies(18, 1.0));
    norms.addAll(List.of(100., NAN, 1., 100., NAN, NAN));
    try (OneWeight model = new OneWeight()) {
      Recorder first = new Recorder(model, 18);
      model.loop(40, folder, first).run(model.objective(norms), 0);
    }
    try (OneWeight model = new OneWeight()) {
      Recorder second = new Recorder(model, 5);
      TrainLoop loop = model.loop(40, folder, second);
      loop.run(model.objective(norms), loop.resume());
      assertEquals(List.of(19, 20, 22, 23), second.skippedSteps(), "spikes right after the resume");
    }
    try (OneWeight model = new OneWeight()) {
      TrainLoop loop = model.loop(40, folder, TrainListener.SILENT);
      int first = loop.resume();
      assertEquals(23, first);
      assertThrows(DivergedException.class, () -> loop.run(model.objective(norms), first), "the third in a row");
    }
  }

  @Test
  void aStateOfAnotherModelIsRefusedAndNothingIsChanged() throws IOException {
    try (OneWeight model = new OneWeight()) {
      model.loop(5, folder, TrainListener.SILENT).run(model.objective(List.of()), 0);
    }
    try (OneWeight wider = new OneWeight("weight", 4); OneWeight named = new OneWeight("bias", 3)) {
      Path state = folder.resolve("step-00000005").resolve("state.safetensors");
      assertTrue(Files.exists(state));
      for (OneWeight other : List.of(wider, named)) {
        float[] before = other.values();
        IOException e = assertThrows(IOException.class, () -> other.loop(9, folder, TrainListener.SILENT).resume());
        assertTrue(e.getMessage().startsWith(state + " holds the state of another kind of run"), e.getMessage());
        assertArrayEquals(before, other.values());
      }
    }
  }
}
