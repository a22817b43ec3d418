package org.diffusionrpo.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.kernels.cuda.emulator.Knob;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cuda.CudaBackend;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Convolutions in a direction that cuDNN does not support: products of gathered windows take its place. */
@NeedsGpu(emulated = true)
class WithoutCudnnTest {
  @ParameterizedTest
  @CsvSource({"forward, conv2dForward, cudnnConvolutionForward",
      "backward-data, conv2dBackwardData, cudnnConvolutionBackwardData",
      "backward-filter, conv2dBackwardWeight, cudnnConvolutionBackwardFilter"})
  void windowsMatchTheReference(String direction, String operation, String call) {
    CudaEmulator.reset();
    CudaEmulator.set(Knob.CUDNN_UNSUPPORTED, direction);
    try (Backend backend = TestGpu.with(() -> new CudaBackend(TestGpu.options()))) {
      OpConformanceTest.matchTheReference(backend,
          LinearCases.all().stream().filter(each -> each.op().equals(operation)).toList());
      assertEquals(0, CudaEmulator.calls(call));
    } finally {
      CudaEmulator.reset();
    }
  }
}
