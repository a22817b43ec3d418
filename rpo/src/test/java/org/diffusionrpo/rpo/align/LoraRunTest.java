package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.lora.LoraFormat;
import org.diffusionrpo.diffusion.lora.LoraLayer;
import org.diffusionrpo.diffusion.lora.LoraMerge;
import org.diffusionrpo.diffusion.lora.LoraModules;
import org.diffusionrpo.diffusion.lora.LoraReader;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole runs that train adapters on a tiny model. */
class LoraRunTest {
  private static final int RANK = 2;

  @TempDir static Path folder;
  private static TinyRuns runs;
  private static AlignResult finished;

  @BeforeAll
  static void align() throws IOException {
    runs = TinyRuns.create(folder);
    finished = AlignRun.run(settings("finished"), AlignListener.SILENT);
    assertTrue(finished.finished());
  }

  @Test
  void theSavedModelIsTheBaseWithTheSavedAdapters() throws IOException {
    Path merged = folder.resolve("merged");
    try (Backend backend = new CpuBackend();
        StableDiffusion model = StableDiffusion.load(runs.model(), backend, LoadOptions.F32)) {
      LoraModules modules = LoraModules.of(model);
      List<LoraLayer> layers = LoraReader.read(finished.lora(), modules);
      assertEquals(32, layers.size(), "four layers of two attentions in four transformers");
      for (LoraLayer layer : layers) {
        assertEquals(RANK, layer.rank());
        assertEquals(4, layer.alpha(), "as asked for, from the file's metadata");
        assertFalse(allZero(layer.up().values()), layer.module());
      }
      LoraMerge.add(modules, layers, 1);
      model.save(merged, DType.F16);
    }
    String unet = "unet/diffusion_pytorch_model.safetensors";
    assertArrayEquals(Files.readAllBytes(merged.resolve(unet)), Files.readAllBytes(finished.model().resolve(unet)));
  }

  @Test
  void checkpointsHoldAdaptersAndTheirOptimizerAlone() throws IOException {
    try (SafetensorsFile state = SafetensorsFile.open(RunOutcome.state(finished.out(), TinyRuns.STEPS))) {
      assertEquals(32 * 2 * 3, state.names().size(), "A and B of 32 layers, each with AdamW's two moments");
      assertTrue(state.names().stream().allMatch(name -> name.contains(".lora_")), state.names().toString());
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyObjectiveStartsAtTheReferenceAndMoves(AlignSettings.Objective objective) throws IOException {
    AlignSettings settings = settings("objective-" + objective);
    settings.objective = objective;
    settings.microBatch = 2;
    settings.samples = 0;
    settings.gradientCheckpointing = true;
    AlignRun.run(settings, AlignListener.SILENT);
    List<Double> losses = MetricsLog.read(settings.out.resolve("metrics.jsonl")).stream()
        .map(entry -> entry.values().get(TrainLoop.LOSS)).toList();
    assertTrue(losses.stream().allMatch(Double::isFinite), losses.toString());
    if (objective != AlignSettings.Objective.SFT) {
      assertEquals(Math.log(2), losses.get(0), 1e-12, "a preference loss starts undecided");
      assertNotEquals(Math.log(2), losses.get(TinyRuns.STEPS - 1), 1e-6, "and moves away from the reference");
    }
  }

  @Test
  void aStoppedRunEndsWithTheSameBits() throws IOException {
    AlignSettings whole = withAverage("whole");
    AlignRun.run(whole, AlignListener.SILENT);
    AlignSettings stopped = withAverage("stopped");
    int[] made = new int[1];
    assertFalse(AlignRun.run(stopped, new AlignListener() {
      @Override
      public void onStep(StepReport report) {
        made[0] = report.step();
      }

      @Override
      public boolean cancelled() {
        return made[0] == 5;
      }
    }).finished());
    stopped.resume = true;
    assertTrue(AlignRun.run(stopped, AlignListener.SILENT).finished());
    RunOutcome.assertSame(RunOutcome.of(whole.out, TinyRuns.STEPS), RunOutcome.of(stopped.out, TinyRuns.STEPS));
    assertArrayEquals(Files.readAllBytes(whole.out.resolve("lora/pytorch_lora_weights.safetensors")),
        Files.readAllBytes(stopped.out.resolve("lora/pytorch_lora_weights.safetensors")));
    stopped.lora = 3;
    assertTrue(assertThrows(IllegalArgumentException.class, () -> AlignRun.run(stopped, AlignListener.SILENT))
        .getMessage().contains("lora was 2 and is now 3"));
  }

  @Test
  void kohyaNamesOnRequest() throws IOException {
    AlignSettings settings = settings("kohya");
    settings.samples = 0;
    settings.steps = 1;
    settings.loraFormat = LoraFormat.KOHYA;
    try (SafetensorsFile file = SafetensorsFile.open(AlignRun.run(settings, AlignListener.SILENT).lora())) {
      assertTrue(file.names().stream().allMatch(name -> name.startsWith("lora_unet_")), file.names().toString());
      assertEquals(32 * 3, file.names().size());
      assertEquals(List.of(4f), file.names().stream().filter(name -> name.endsWith(".alpha")).map(name -> {
        try {
          return file.readFloats(name)[0];
        } catch (IOException e) {
          throw new AssertionError(e);
        }
      }).distinct().collect(Collectors.toList()));
    }
  }

  @Test
  void unknownTargetsAreRefusedBeforeAnythingIsWritten() {
    AlignSettings settings = settings("targets");
    settings.loraTargets = "to_q,to_w";
    String message = assertThrows(IllegalArgumentException.class,
        () -> AlignRun.run(settings, AlignListener.SILENT)).getMessage();
    assertTrue(message.startsWith("--lora-targets to_q,to_w: ") && message.contains("'to_w'"), message);
    assertFalse(Files.exists(settings.out));
  }

  private static AlignSettings settings(String name) {
    AlignSettings settings = runs.settings(name);
    settings.lora = RANK;
    settings.loraAlpha = 4.0;
    settings.lr = 1e-2;
    return settings;
  }

  private static AlignSettings withAverage(String name) {
    AlignSettings settings = settings(name);
    settings.samples = 0;
    settings.ema = 0.9;
    return settings;
  }

  private static boolean allZero(float[] values) {
    for (float value : values) {
      if (value != 0) {
        return false;
      }
    }
    return true;
  }
}
