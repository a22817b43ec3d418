package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.kernels.cuda.CudaDevice;
import org.diffusionrpo.kernels.cuda.CudaOptions;
import org.diffusionrpo.kernels.cuda.DeviceBuffer;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.kernels.cuda.emulator.Knob;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.Counts;
import org.diffusionrpo.rpo.align.DryRun;
import org.diffusionrpo.rpo.align.TinyRuns;
import org.diffusionrpo.rpo.plan.Advice;
import org.diffusionrpo.rpo.plan.GpuMemory;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanCommandTest {
  @TempDir static Path folder;
  private static TinyRuns runs;

  @BeforeAll
  static void create() throws IOException {
    runs = TinyRuns.create(folder);
  }

  @Test
  void everyPartIsListedAndNothingIsWritten() {
    Path out = folder.resolve("run");
    CliRun run = plan("--batch", 4, "--micro-batch", 2, "--storage", "f16", "--samples", 2, "--sample-steps", 2, "--out",
        out).assertDone();
    for (String line : List.of("UNet .* parameters, trained, f32", "reference UNet .*frozen, f16", "gradients .*",
        "optimizer state .*adamw", "VAE .*frozen, f16", "text encoders .*", "CLIP .*f32",
        "activations .*2 pairs at once; with --gradient-checkpointing .*", "peak, training .*", "needed .*", "fits",
        "process .*resident at the peak",
        "conv3x3 .*TFLOP per update, .*GFLOP/s measured", "update .*4 pairs, reference forward, policy forward twice .*",
        "run .*")) {
      assertTrue(run.out().lines().anyMatch(text -> text.matches(line)), line + " in\n" + run.out());
    }
    assertFalse(Files.exists(out));
  }

  @Test
  void badInputIsOneLine() {
    plan("--batch", 0).assertRefused("--batch 0");
    plan("--lora", 4, "--lora-targets", "to_x").assertRefused("--lora-targets", "to_x");
    CliRun.of("plan", "--model", folder.resolve("nothing")).assertRefused("nothing");
  }

  @Test
  void adviceFitsAndIsNoMoreThanNeeded() throws IOException {
    AlignSettings settings = new AlignSettings();
    settings.model = runs.model();
    settings.data = runs.data();
    settings.batch = 8;
    settings.samples = 0;
    settings.evaluate = 0;
    long asItIs = DryRun.of(settings).needed();
    AlignSettings one = settings.copy();
    one.microBatch = 1;
    long withOne = DryRun.of(one).needed();
    assertTrue(withOne < asItIs, withOne + " and " + asItIs);

    Advice mild = Advice.of(settings, counts -> counts.needed() <= withOne);
    assertEquals(List.of("--micro-batch 1"), mild.options());
    Advice strong = Advice.of(settings, counts -> counts.part(Counts.Part.OPTIMIZER) == 0);
    assertTrue(strong.options().contains("--lora 8"), "nothing fits, so all is tried: " + strong.options());
  }

  /** On the emulated device, most of which another program has. */
  @Test
  void onAGpuTheFreeMemoryCounts() throws IOException {
    assumeFalse(TestGpu.isReal(), "the emulated device can pretend to be smaller");
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    AlignSettings settings = new AlignSettings();
    settings.model = runs.model();
    settings.data = runs.data();
    CudaEmulator.reset();
    CudaEmulator.set(Knob.MEMORY_BYTES, Long.toString(3L << 29));
    try (Backend backend = TestGpu.with(() -> Backends.open("cuda"));
        Tensor own = backend.empty(Shape.of(1 << 20))) {
      assertEquals((3L << 29) - own.buffer().bytes(), backend.deviceMemory());
      assertTrue(GpuMemory.of(DryRun.of(settings)).fits(backend.deviceMemory()));
    }
    try (CudaDevice other = TestGpu.open(CudaOptions.DEFAULT); DeviceBuffer used = other.memory().take(1L << 30)) {
      CliRun full = TestGpu.with(() -> plan("--backend", "cuda", "--precision", "bf16", "--batch", 1));
      assertEquals(PlanCommand.TOO_LARGE, full.code(), used.bytes() + full.err());
      for (String line : List.of("workspace +512.0 MiB +of cuDNN at most, estimated", "rounded copies .*estimated",
          "scores .*", "needed .*of the GPU's memory, an estimate", "GPU memory +512.0 MiB +free now.*",
          "does not fit.*")) {
        assertTrue(full.out().lines().anyMatch(text -> text.matches(line)), line + " in\n" + full.out());
      }
      assertFalse(full.out().contains("Java's heap"), full.out());
    } finally {
      CudaEmulator.reset();
    }
  }

  @Test
  void copiesFollowFormatsAndATenthIsLeft() throws IOException {
    AlignSettings settings = new AlignSettings();
    settings.model = runs.model();
    settings.data = runs.data();
    assertEquals(0, GpuMemory.of(DryRun.of(settings)).copies());
    settings.storage = Storage.F16;
    long ofWeights = GpuMemory.of(DryRun.of(settings)).copies();
    assertTrue(ofWeights > 0);
    settings.precision = "fp16";
    assertTrue(GpuMemory.of(DryRun.of(settings)).copies() > ofWeights);
    GpuMemory large = new GpuMemory(80, 10, 5, 5);
    assertTrue(large.fits(112) && !large.fits(110));
  }

  private static CliRun plan(Object... options) {
    Object[] words = new Object[options.length + 5];
    System.arraycopy(new Object[] {"plan", "--model", runs.model(), "--data", runs.data()}, 0, words, 0, 5);
    System.arraycopy(options, 0, words, 5, options.length);
    return CliRun.of(words);
  }
}
