package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.kernels.cpu.HalfFloats;
import org.diffusionrpo.rpo.loss.LossMetric;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.diffusionrpo.rpo.train.View;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole runs on a tiny SDXL: two text encoders, pooled embeddings, time ids. */
class AlignXlRunTest {
  private static final int STEPS = 2;
  /** Of the input of add_embedding: the pooled embedding, then six sinusoids of length 4. */
  private static final int POOLED = 7;
  private static final int ADDED = 31;
  /** Of errors and losses after one update at a high rate: ten times the rounding of latents and texts to halves. */
  private static final double CACHE_TOLERANCE = 5e-3;

  @TempDir static Path folder;
  private static TinyRuns runs;
  private static AlignResult finished;

  @BeforeAll
  static void align() throws IOException {
    runs = TinyRuns.createXl(folder);
    AlignSettings settings = settings("finished");
    settings.samples = 1; // drawn with the base model and the aligned one
    finished = AlignRun.run(settings, AlignListener.SILENT);
  }

  @Test
  void alignedModelIsAnSdxlWithItsTextEncodersUnchanged() throws IOException {
    assertTrue(finished.finished());
    assertEquals(Math.log(2), MetricsLog.read(finished.out().resolve("metrics.jsonl")).get(0).values()
        .get(TrainLoop.LOSS), 1e-12, "a preference loss starts undecided");
    try (Backend backend = new CpuBackend();
        StableDiffusion model = StableDiffusion.load(finished.model(), backend, LoadOptions.F32)) {
      assertTrue(model.isXl());
    }
    for (String part : new String[] {"text_encoder", "text_encoder_2"}) {
      String file = part + "/model.safetensors";
      assertArrayEquals(Files.readAllBytes(runs.model().resolve(file)),
          Files.readAllBytes(finished.model().resolve(file)), part);
    }
  }

  @Test
  void gradientsReachThePooledEmbeddingAndEveryTimeId() throws IOException {
    String file = "unet/diffusion_pytorch_model.safetensors";
    String name = "add_embedding.linear_1.weight";
    float[] before = base(file, name);
    float[] after;
    try (SafetensorsFile aligned = SafetensorsFile.open(finished.model().resolve(file))) {
      after = aligned.readFloats(name);
    }
    boolean[] moved = new boolean[ADDED];
    for (int i = 0; i < before.length; i++) {
      moved[i % ADDED] |= before[i] != after[i];
    }
    for (int i = 0; i < ADDED; i++) {
      // sin(0) = 0: the upper crop offset is 0 in every picture, so its sines cannot teach anything
      boolean constantZero = i >= POOLED + 2 * 4 + 2 && i < POOLED + 3 * 4;
      assertNotEquals(constantZero, moved[i], "input " + i + " of add_embedding");
    }
  }

  @Test
  void sameRunGivesTheSameBitsAlsoWithRecomputedActivations() throws IOException {
    AlignSettings settings = settings("again");
    settings.gradientCheckpointing = true;
    AlignRun.run(settings, AlignListener.SILENT);
    RunOutcome.assertSame(RunOutcome.of(finished.out(), STEPS), RunOutcome.of(settings.out, STEPS));
  }

  @ParameterizedTest
  @EnumSource(value = AlignSettings.Objective.class, names = {"DPO", "SFT"})
  void otherObjectivesRunToTheEnd(AlignSettings.Objective objective) throws IOException {
    AlignSettings settings = settings(objective.name());
    settings.objective = objective;
    assertTrue(AlignRun.run(settings, AlignListener.SILENT).finished());
    assertNotEquals(RunOutcome.unet(finished.out()), RunOutcome.unet(settings.out));
  }

  @Test
  void aCacheChangesARunByItsRoundingOnly() throws IOException {
    AlignSettings settings = settings("cached");
    settings.cache = folder.resolve("cache");
    AlignRun.run(settings, AlignListener.SILENT);
    RunOutcome memory = RunOutcome.of(finished.out(), STEPS);
    RunOutcome cached = RunOutcome.of(settings.out, STEPS);
    assertNotEquals(memory.state(), cached.state(), "halves are not floats");
    for (String name : new String[] {LossMetric.WINNER_ERROR.key(), LossMetric.LOSER_ERROR.key(), TrainLoop.LOSS}) {
      double expected = memory.metrics().get(STEPS - 1).values().get(name);
      assertEquals(expected, cached.metrics().get(STEPS - 1).values().get(name), CACHE_TOLERANCE * expected, name);
    }
    AlignSettings again = settings("cached again");
    again.cache = settings.cache;
    AlignRun.run(again, AlignListener.SILENT);
    RunOutcome.assertSame(cached, RunOutcome.of(again.out, STEPS));
  }

  @Test
  void aStoppedStreamedRunEndsWithTheSameBits() throws IOException {
    AlignSettings whole = streamed("streamed");
    AlignRun.run(whole, AlignListener.SILENT);
    AlignSettings stopped = streamed("streamed and stopped");
    boolean[] stop = new boolean[1];
    assertFalse(AlignRun.run(stopped, new AlignListener() {
      @Override
      public void onStep(StepReport report) {
        stop[0] = true;
      }

      @Override
      public boolean cancelled() {
        return stop[0];
      }
    }).finished());
    stopped.resume = true;
    AlignRun.run(stopped, AlignListener.SILENT);
    RunOutcome.assertSame(RunOutcome.of(whole.out, STEPS), RunOutcome.of(stopped.out, STEPS));
  }

  private static AlignSettings streamed(String name) {
    AlignSettings settings = settings(name);
    settings.stream = true;
    settings.crop = View.Crop.RANDOM; // which the time ids tell the network
    settings.flip = true;
    return settings;
  }

  private static AlignSettings settings(String name) {
    AlignSettings settings = runs.settings(name);
    settings.steps = STEPS;
    settings.warmup = 0;
    settings.weightDecay = 0; // a weight without gradient stays as it is
    settings.samples = 0;
    return settings;
  }

  /** A tensor of the base model as a save in half precision has it. */
  private static float[] base(String file, String name) throws IOException {
    try (SafetensorsFile base = SafetensorsFile.open(runs.model().resolve(file))) {
      float[] values = base.readFloats(name);
      for (int i = 0; i < values.length; i++) {
        values[i] = HalfFloats.fromFp16(HalfFloats.toFp16(values[i]));
      }
      return values;
    }
  }
}
