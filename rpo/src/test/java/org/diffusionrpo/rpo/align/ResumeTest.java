package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.train.MortalProgram;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.tensor.Philox;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run that stops, loses a checkpoint or is killed goes on to the same bits as one that is left alone. */
class ResumeTest {
  /** The newest checkpoint is then of this update, the one before of update 3. */
  private static final int STOP = 5;

  /** Each names a moment: after so many updates of a program at most, and so long after the last of them. */
  private static final long[] KILLS = {1, 2, 3};
  private static final int MAX_UPDATES = 3;
  private static final int MAX_DELAY_MILLIS = 15;

  @TempDir static Path folder;
  private static TinyRuns runs;
  private static RunOutcome averaged;

  @BeforeAll
  static void runToTheEnd() throws IOException {
    runs = TinyRuns.create(folder);
    averaged = finish(withAverage("whole"));
  }

  @Test
  void stoppedRunWithAdamWAndAverageEndsWithTheSameBits() throws IOException {
    AlignSettings settings = withAverage("stopped");
    stop(settings);
    assertEquals(List.of(6, 7, 8, 9, 10), resume(settings));
    RunOutcome.assertSame(averaged, outcome(settings));
  }

  @Test
  void stoppedRunWithAdafactorEndsWithTheSameBits() throws IOException {
    RunOutcome whole = finish(withAdafactor("adafactor-whole"));
    AlignSettings settings = withAdafactor("adafactor-stopped");
    stop(settings);
    assertEquals(List.of(6, 7, 8, 9, 10), resume(settings));
    RunOutcome.assertSame(whole, outcome(settings));
  }

  @Test
  void aRunFromBeforeASettingExistedGoesOnWithItsDefault() throws IOException {
    AlignSettings settings = withAverage("older");
    stop(settings);
    Path manifest = settings.out.resolve("run.json");
    String text = Files.readString(manifest);
    assertTrue(text.contains("\"precision\" : \"fp32\""), text);
    Files.writeString(manifest, text.replaceFirst("\\s*\"precision\" : \"fp32\",", ""));
    assertEquals(List.of(6, 7, 8, 9, 10), resume(settings));
    RunOutcome.assertSame(averaged, outcome(settings));
  }

  @Test
  void damagedCheckpointCostsUpdatesButNoBits() throws IOException {
    AlignSettings settings = withAverage("damaged");
    stop(settings);
    flipOneBit(RunOutcome.state(settings.out, STOP));
    assertEquals(List.of(4, 5, 6, 7, 8, 9, 10), resume(settings));
    RunOutcome.assertSame(averaged, outcome(settings));
  }

  @Test
  void runKilledAtRandomMomentsEndsWithTheSameBits() throws Exception {
    program("never-killed").finish();
    for (long kill : KILLS) {
      Philox moment = Philox.stream(kill, "kill", 0);
      program("killed").killAfter(1 + moment.nextInt(MAX_UPDATES), moment.nextInt(MAX_DELAY_MILLIS));
      assertFalse(Files.exists(RunOutcome.state(runs.out("killed"), AlignProgram.STEPS)), "killed before its end");
    }
    program("killed").finish();
    RunOutcome.assertSame(RunOutcome.of(runs.out("never-killed"), AlignProgram.STEPS),
        RunOutcome.of(runs.out("killed"), AlignProgram.STEPS));
  }

  private static AlignSettings withAverage(String name) {
    AlignSettings settings = runs.settings(name);
    settings.samples = 0;
    settings.ema = 0.9;
    return settings;
  }

  private static AlignSettings withAdafactor(String name) {
    AlignSettings settings = runs.settings(name);
    settings.samples = 0;
    settings.optimizer = AlignSettings.OptimizerKind.ADAFACTOR;
    return settings;
  }

  private static RunOutcome finish(AlignSettings settings) throws IOException {
    assertTrue(AlignRun.run(settings, AlignListener.SILENT).finished());
    return outcome(settings);
  }

  private static RunOutcome outcome(AlignSettings settings) throws IOException {
    return RunOutcome.of(settings.out, TinyRuns.STEPS);
  }

  private static void stop(AlignSettings settings) throws IOException {
    AlignResult result = AlignRun.run(settings, new Updates(STOP));
    assertFalse(result.finished());
    assertEquals(STOP, result.steps());
  }

  /** The updates that are made after the resume. */
  private static List<Integer> resume(AlignSettings settings) throws IOException {
    settings.resume = true;
    Updates updates = new Updates(Integer.MAX_VALUE);
    assertTrue(AlignRun.run(settings, updates).finished());
    return updates.made;
  }

  private static void flipOneBit(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
  }

  private static MortalProgram program(String name) {
    return new MortalProgram(folder.resolve("errors.txt"), AlignProgram.class, folder.toString(), name);
  }

  /** Hears of every update and cancels after the one of number {@code last}. */
  private static final class Updates implements AlignListener {
    private final int last;
    private final List<Integer> made = new ArrayList<>();

    private Updates(int last) {
      this.last = last;
    }

    @Override
    public void onStep(StepReport report) {
      made.add(report.step());
    }

    @Override
    public boolean cancelled() {
      return made.contains(last);
    }
  }
}
