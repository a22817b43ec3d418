package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.lora.LoraAdapters;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.align.AlignSettings.Objective;
import org.diffusionrpo.rpo.align.AlignSettings.OptimizerKind;
import org.diffusionrpo.rpo.data.PairDataset;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.rpo.train.PairEncoder;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is counted against what a real run of two updates took. */
class DryRunTest {
  /**
   * The dry run executes the same code on the same shapes, so tensors are counted exactly; only what is encoded differs
   * by the number of pictures.
   */
  private static final double EXACT = 0;

  @TempDir static Path folder;
  private static TinyRuns runs;
  private static TinyRuns xl;

  private record Options(String name, Consumer<AlignSettings> change) {
    @Override
    public String toString() {
      return name;
    }
  }

  @BeforeAll
  static void create() throws IOException {
    runs = TinyRuns.create(Files.createDirectory(folder.resolve("sd")));
    xl = TinyRuns.createXl(Files.createDirectory(folder.resolve("xl")));
  }

  static Stream<Options> options() {
    return Stream.of(
        new Options("all weights, AdamW", s -> {}),
        new Options("Adafactor, checkpointing, micro-batch 1, half reference, average", s -> {
          s.optimizer = OptimizerKind.ADAFACTOR;
          s.gradientCheckpointing = true;
          s.microBatch = 1;
          s.storage = Storage.F16;
          s.ema = 0.99;
        }),
        new Options("LoRA", s -> s.lora = 4),
        new Options("LoRA on bf16, micro-batch 2", s -> {
          s.lora = 2;
          s.loraTargets = "all";
          s.storage = Storage.BF16;
          s.microBatch = 2;
        }),
        new Options("SFT", s -> s.objective = Objective.SFT),
        new Options("DPO", s -> s.objective = Objective.DPO));
  }

  @ParameterizedTest
  @MethodSource("options")
  void updateTakesWhatWasCounted(Options options) throws IOException {
    check(runs, options);
  }

  @ParameterizedTest
  @MethodSource("options")
  void updateOfAnSdxlTakesWhatWasCounted(Options options) throws IOException {
    check(xl, options);
  }

  private static void check(TinyRuns of, Options options) throws IOException {
    AlignSettings settings = of.settings("none");
    settings.steps = 2;
    options.change.accept(settings);
    Counts counts = DryRun.of(settings);
    long predicted = counts.loads().get(Counts.Phase.TRAINING).peak();
    long measured = measure(settings.copy().complete());
    assertEquals(measured, predicted, EXACT * measured, () -> options + ": measured " + measured + " bytes, predicted "
        + predicted + " of " + counts.parts());
    assertTrue(counts.needed() >= predicted && counts.comfortable() >= counts.needed());
  }

  /** Peak of the tensors in two real updates. */
  private static long measure(AlignSettings settings) throws IOException {
    try (Backend backend = new CpuBackend();
        StableDiffusion model = StableDiffusion.load(settings.open(), backend, new LoadOptions(
            settings.lora == null ? Storage.F32 : settings.storage, settings.storage, settings.gradientCheckpointing));
        Clip clip = settings.needsEmbeddings()
            ? Clip.load(settings.model.resolve("clip"), backend, Storage.F32) : null;
        EncodedPairs pairs = PairEncoder.of(backend, model, clip)
            .encode(PairDataset.load(settings.data, 100).pairs(), AlignListener.SILENT).orElseThrow()) {
      UNet2DConditionModel unet = model.unet().value();
      ModelSource source = settings.open();
      if (settings.lora != null) {
        try (LoraAdapters adapters = AlignRun.attach(unet, settings)) {
          return measure(backend, model, pairs, settings, new Adapters(backend, unet, adapters, source,
              settings.loraFormat, settings.seed, settings.saveDtype.dtype()));
        }
      }
      try (UNet2DConditionModel base = source
          .loadUNet(backend, settings.storage, settings.gradientCheckpointing).value()) {
        return measure(backend, model, pairs, settings, new AllWeights(backend, unet, base, source,
            settings.saveDtype.dtype()));
      }
    }
  }

  private static long measure(Backend backend, StableDiffusion model, EncodedPairs pairs, AlignSettings settings,
      Trainee trainee) throws IOException {
    backend.memory().resetPeak();
    Path out = Files.createTempDirectory(folder, "run");
    assertEquals(2, new Aligner(backend, model, trainee, pairs)
        .train(settings, out.resolve("checkpoints"), out.resolve("metrics.jsonl"), AlignListener.SILENT));
    return backend.memory().peakBytes();
  }
}
