package org.diffusionrpo.diffusion.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.io.TinyXlModel;
import org.diffusionrpo.diffusion.schedule.SamplerKind;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cuda.CudaBackend;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A GPU that records the UNet draws the same picture, with as many launches for many steps as for two. */
class RecordedSamplingTest {
  @BeforeEach
  void freshDevice() {
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    if (!TestGpu.isReal()) {
      CudaEmulator.reset();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void graphsDrawTheSamePicture(boolean xl) throws IOException {
    assertArrayEquals(draw(false, xl), draw(true, xl));
  }

  private static byte[] draw(boolean graphs, boolean xl) throws IOException {
    try (Backend backend = open(graphs);
        StableDiffusion model = xl ? TinyXlModel.create(backend, true) : TinyModel.create(backend)) {
      return draw(backend, model, 4);
    }
  }

  @Test
  void launchesDoNotGrowWithTheSteps() throws IOException {
    assumeFalse(TestGpu.isReal(), "the emulated device counts");
    try (Backend backend = open(true); StableDiffusion model = TinyModel.create(backend)) {
      draw(backend, model, 2);
      int before = CudaEmulator.calls("cuLaunchKernel");
      draw(backend, model, 2);
      int launches = CudaEmulator.calls("cuLaunchKernel") - before;
      draw(backend, model, 7);
      assertEquals(before + 2 * launches, CudaEmulator.calls("cuLaunchKernel"));
      assertEquals(1 + 1 + 6, CudaEmulator.calls("cuGraphLaunch"));
    }
  }

  private static Backend open(boolean graphs) {
    return TestGpu.with(() -> new CudaBackend(TestGpu.options().withGraphs(graphs)));
  }

  private static byte[] draw(Backend backend, StableDiffusion model, int steps) {
    return new StableDiffusionPipeline(backend, model).generate(List.of(new ImageRequest("red cat", "", 1, 0)),
        new SamplingSettings(SamplerKind.DPM_SOLVER, steps, 5), ProgressListener.SILENT).get(0).rgb();
  }
}
