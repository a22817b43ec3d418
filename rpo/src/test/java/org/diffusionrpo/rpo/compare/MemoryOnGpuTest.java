package org.diffusionrpo.rpo.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.rpo.TinyHome;
import org.diffusionrpo.rpo.UnclosedTensors;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.TestDevice;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A comparison trains, draws and measures many models on one device; none leaves memory behind for the next. */
@NeedsGpu(emulated = true)
class MemoryOnGpuTest {
  @TempDir Path folder;

  @BeforeEach
  void freshDevice() {
    CudaEmulator.reset();
  }

  @Test
  void noModelLeavesMemoryForTheNext() throws IOException {
    CompareSettings settings = new CompareSettings();
    settings.quick = true;
    settings.complete();
    settings.quick = false;
    settings.align.backend = "cuda";
    settings.align.steps = 1;
    settings.align.sampleSteps = 1;
    settings.align.evaluate = 4;
    settings.align.limit = 2;
    settings.align.warmup = 0;
    settings.align.out = folder.resolve("run");
    settings.seeds = List.of(1L, 2L);
    List<Long> inUse = new ArrayList<>();
    CompareListener listener = new CompareListener() {
      @Override
      public void onUnit(String name, int finished, int total, double secondsLeft) {
        inUse.add(CudaEmulator.liveBytes());
      }

      @Override
      public void onStep(StepReport report) {}
    };
    try (TinyHome home = new TinyHome(folder.resolve("home")); UnclosedTensors unclosed = new UnclosedTensors()) {
      assertTrue(TestGpu.with(() -> Comparison.run(settings, listener)).isPresent());
      unclosed.assertNone();
    }
    assertEquals(List.of(), CudaEmulator.leaks());
    // Twice the base model, SFT, DPO, RPO. Blocks of new sizes are taken and kept until the first DPO has ended; its
    // tensors have the sizes of all that follow.
    assertEquals(8, inUse.size());
    assertEquals(Collections.nCopies(3, inUse.get(5)), inUse.subList(5, 8));
  }

  @Test
  void aForgottenTensorIsNoticed() {
    try (UnclosedTensors unclosed = new UnclosedTensors()) {
      try (Backend backend = TestDevice.GPU.open()) {
        backend.zeros(Shape.of(10));
      }
      assertThrows(AssertionError.class, unclosed::assertNone);
    }
  }
}
