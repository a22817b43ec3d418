package org.diffusionrpo.rpo.align;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.lora.LoraAdapters;
import org.diffusionrpo.diffusion.lora.LoraFormat;
import org.diffusionrpo.diffusion.lora.LoraLayer;
import org.diffusionrpo.diffusion.lora.LoraMerge;
import org.diffusionrpo.diffusion.lora.LoraModules;
import org.diffusionrpo.diffusion.lora.LoraReader;
import org.diffusionrpo.diffusion.lora.LoraWriter;
import org.diffusionrpo.diffusion.unet.Conditions;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.data.PairDataset;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.rpo.train.PairEncoder;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.TestTensors;
import org.diffusionrpo.tensor.Tolerances;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Adapters of a tiny SDXL, also on the layers that read its sizes and pooled embeddings. */
class AlignXlLoraTest {
  private static final int STEPS = 2;
  private static final String UNET = "unet/diffusion_pytorch_model.safetensors";

  @TempDir static Path folder;
  private static TinyRuns runs;

  private Backend backend;
  private StableDiffusion model;
  private LoraAdapters adapters;
  private float[] base;

  @BeforeAll
  static void create() throws IOException {
    runs = TinyRuns.createXl(folder);
  }

  /** Two updates of adapters on every layer. */
  @BeforeEach
  void train() throws IOException {
    AlignSettings settings = settings("unused").complete();
    backend = new CpuBackend();
    model = StableDiffusion.load(runs.model(), backend, LoadOptions.F32);
    base = prediction(model.unet().value());
    adapters = AlignRun.attach(model.unet().value(), settings);
    Trainee trainee = new Adapters(backend, model.unet().value(), adapters, settings.open(), LoraFormat.PEFT,
        settings.seed, DType.F32);
    try (Clip clip = Clip.load(runs.model().resolve("clip"), backend, Storage.F32);
        EncodedPairs pairs = PairEncoder.of(backend, model, clip)
            .encode(PairDataset.load(runs.data(), TinyRuns.PAIRS).pairs(), AlignListener.SILENT).orElseThrow()) {
      Path out = Files.createTempDirectory(folder, "updates");
      assertEquals(STEPS, new Aligner(backend, model, trainee, pairs)
          .train(settings, out.resolve("checkpoints"), out.resolve("metrics.jsonl"), AlignListener.SILENT));
    }
  }

  @AfterEach
  void close() {
    adapters.close();
    model.close();
    backend.close();
  }

  private static AlignSettings settings(String name) {
    AlignSettings settings = runs.settings(name);
    settings.steps = STEPS;
    settings.warmup = 0;
    settings.samples = 0;
    settings.lora = 2;
    settings.loraAlpha = 3.0;
    settings.loraTargets = "all";
    settings.lr = 2e-2;
    return settings;
  }

  @Test
  void switchedOffTheUNetIsTheBaseToTheBit() {
    assertFalse(Arrays.equals(base, prediction(model.unet().value())));
    adapters.setEnabled(false);
    assertArrayEquals(base, prediction(model.unet().value()));
  }

  @Test
  void trainingMovesTheAdapterOfEveryLayer() {
    List<LoraLayer> layers = adapters.layers();
    assertTrue(layers.stream().anyMatch(layer -> layer.module().equals("add_embedding.linear_1")), "SDXL's own layers");
    for (LoraLayer layer : layers) {
      boolean moved = false;
      for (float value : layer.up().values()) {
        moved |= value != 0;
      }
      assertTrue(moved, layer.module());
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFreshModelWithTheSavedAdaptersPredictsTheSame(LoraFormat format) throws IOException {
    Path file = folder.resolve(format + ".safetensors");
    LoraWriter.write(file, adapters.layers(), format, LoraModules.of(model));
    double[] adapted = Tolerances.widen(prediction(model.unet().value()));
    try (StableDiffusion fresh = StableDiffusion.load(runs.model(), backend, LoadOptions.F32)) {
      LoraModules modules = LoraModules.of(fresh);
      List<LoraLayer> read = LoraReader.read(file, modules);
      assertEquals(adapters.layers().size(), read.size());
      read.forEach(layer -> assertEquals(3, layer.alpha(), layer.module()));
      LoraMerge.add(modules, read, 1);
      // The same products in another order through some thirty layers: 1e-6 of the values, so 1e-12 of their squares.
      assertTrue(Tolerances.nmse(Tolerances.widen(prediction(fresh.unet().value())), adapted) < Tolerances.NMSE);
    }
  }

  @Test
  void aRunSavesTheSameAdaptersAndTheBaseWithThemMerged() throws IOException {
    AlignSettings settings = settings("run");
    settings.saveDtype = AlignSettings.SaveDtype.F32;
    settings.samples = 1;
    AlignResult finished = AlignRun.run(settings, AlignListener.SILENT);
    Path file = folder.resolve("updates.safetensors");
    LoraWriter.write(file, adapters.layers(), LoraFormat.PEFT, LoraModules.of(model));
    assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(finished.lora()));
    Path merged = folder.resolve("merged");
    model.saveTrained(merged, settings.open(), DType.F32, adapters::merged);
    assertArrayEquals(Files.readAllBytes(merged.resolve(UNET)), Files.readAllBytes(finished.model().resolve(UNET)));
  }

  private float[] prediction(UNet2DConditionModel unet) {
    TextEmbedding text = model.promptEncoder(backend).encode("red cat");
    try (MemoryScope scope = backend.scope()) {
      Conditions conditions = Conditions.of(backend, model.promptEncoder(backend).contextShape(), List.of(text, text),
          List.of(TimeIds.of(30, 20), TimeIds.of(10, 10)));
      return unet.forward(TestTensors.gaussian(backend, 1, 2, 5, 5, unet.config().inChannels()), new float[] {20, 900},
          conditions.context(), conditions.added(), Tape.NONE).toArray();
    }
  }
}
