package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.rpo.data.Shards;
import org.diffusionrpo.rpo.train.View;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs whose pairs lie in shards and come from a cache or a stream. */
class AlignSourcesTest {
  private static final int ROWS = 14;
  private static final int PAIRS = 12;
  private static final int STOP_AFTER = 5;
  /** Losses of two runs of which one reads latents and texts as halves, after ten updates at a high rate. */
  private static final double CACHE_TOLERANCE = 2e-2;

  @TempDir Path folder;
  private TinyRuns runs;
  private Path data;

  @BeforeEach
  void create() throws IOException {
    runs = TinyRuns.create(Files.createDirectories(folder.resolve("home")));
    data = Files.createDirectories(folder.resolve("shards"));
    Shards.write(data.resolve("a.parquet"), 0, ROWS);
  }

  private AlignSettings settings(String name) {
    AlignSettings settings = runs.settings(name);
    settings.data = data;
    settings.samples = 0;
    settings.flip = true;
    return settings;
  }

  private AlignSettings cached(String name) {
    AlignSettings settings = settings(name);
    settings.cache = folder.resolve("cache");
    return settings;
  }

  private AlignSettings streamed(String name) {
    AlignSettings settings = settings(name);
    settings.stream = true;
    settings.window = 2;
    settings.crop = View.Crop.RANDOM;
    return settings;
  }

  private static RunOutcome run(AlignSettings settings) throws IOException {
    assertTrue(AlignRun.run(settings, AlignListener.SILENT).finished());
    return RunOutcome.of(settings.out, TinyRuns.STEPS);
  }

  private static RunOutcome stopAndResume(AlignSettings settings) throws IOException {
    AlignResult stopped = AlignRun.run(settings, new AlignListener() {
      private boolean stop;

      @Override public void onStep(StepReport report) {
        stop = report.step() == STOP_AFTER;
      }

      @Override public boolean cancelled() {
        return stop;
      }
    });
    assertEquals(STOP_AFTER, stopped.steps());
    settings.resume = true;
    return run(settings);
  }

  @Test
  void aCacheChangesARunByItsRoundingOnly() throws IOException {
    RunOutcome memory = run(settings("memory"));
    RunOutcome cached = run(cached("cached"));
    assertNotEquals(memory.state(), cached.state(), "halves are not floats");
    for (int i = 0; i < TinyRuns.STEPS; i++) {
      assertEquals(loss(memory, i), loss(cached, i), CACHE_TOLERANCE * loss(memory, i), "update " + i);
    }
    RunOutcome.assertSame(cached, run(cached("again")));
  }

  private static double loss(RunOutcome run, int step) {
    return run.metrics().get(step).values().get(TrainLoop.LOSS);
  }

  @Test
  void stoppedRunFromACacheEndsWithTheSameBits() throws IOException {
    RunOutcome.assertSame(run(cached("whole")), stopAndResume(cached("stopped")));
  }

  @Test
  void stoppedRunFromAStreamEndsWithTheSameBits() throws IOException {
    RunOutcome.assertSame(run(streamed("whole")), stopAndResume(streamed("stopped")));
  }

  @Test
  void aStreamedRunSaysHowManyPairsItTook() throws IOException {
    AlignSettings settings = streamed("run");
    run(settings);
    String leftOut = new ObjectMapper().readTree(settings.out.resolve("run.json").toFile()).path("left_out").asText();
    assertTrue(leftOut.startsWith(PAIRS + " pairs; dropped: 2 ties"), leftOut);
  }

  @Test
  void cacheIsFilledAheadAndSaysWhatItHolds() throws IOException {
    AlignSettings settings = cached("unused");
    settings.choiceModel = AlignSettings.ChoiceModel.CLIP;
    CacheFill.Result result = CacheFill.run(settings, AlignListener.SILENT).orElseThrow();
    assertEquals(PAIRS, result.pairs());
    assertTrue(result.report().startsWith(PAIRS + " pairs; dropped: 2 ties"), result.report());
    assertTrue(result.relabelled().matches("Choice model clip swapped winner and loser of \\d+ of 12 pairs"),
        result.relabelled());
    List<String> phases = new ArrayList<>();
    AlignSettings run = cached("run");
    run.choiceModel = AlignSettings.ChoiceModel.CLIP;
    AlignRun.run(run, new AlignListener() {
      @Override public void onPhase(String description) {
        phases.add(description);
      }

      @Override public void onStep(StepReport report) {}

      @Override public void onProgress(long done, long total) {
        assertTrue(phases.stream().anyMatch(phase -> phase.equals("Aligning")), "the full cache needs no encoding");
      }
    });
    assertTrue(phases.contains(result.relabelled()), phases.toString());
    assertEquals(result.relabelled(),
        new ObjectMapper().readTree(run.out.resolve("run.json").toFile()).path("relabelled").asText());
    assertTrue(Files.notExists(settings.out), "encode starts no run");
  }

  @Test
  void aChangedShardIsAnotherRun() throws IOException {
    AlignSettings settings = cached("run");
    run(settings);
    Shards.write(data.resolve("a.parquet"), 0, ROWS + 1);
    settings.resume = true;
    IllegalArgumentException error =
        assertThrows(IllegalArgumentException.class, () -> AlignRun.run(settings, AlignListener.SILENT));
    assertTrue(error.getMessage().contains("pairs was "), error.getMessage());
  }
}
