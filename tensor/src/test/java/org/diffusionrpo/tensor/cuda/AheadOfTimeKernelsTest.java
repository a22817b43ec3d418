package org.diffusionrpo.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.diffusionrpo.kernels.cuda.CudaLibraries;
import org.diffusionrpo.kernels.cuda.Precision;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernels in the jar, for machines without NVRTC, compute what NVRTC's do. */
class AheadOfTimeKernelsTest {
  /** Two compilers may contract other multiplications and additions. */
  private static final float TOLERANCE = 1e-5f;

  @ParameterizedTest
  @EnumSource
  void theyComputeTheSame(Precision precision) {
    assumeTrue(TestGpu.missing(precision) == null, () -> TestGpu.missing(precision));
    assumeTrue(precision != Precision.FP16 || TestGpu.info().architecture() >= 80,
        "attention in fp16 is compiled ahead of time for 8.0 and newer");
    float[] expected;
    try (CudaBackend backend = open(precision)) {
      expected = SmallUpdate.run(backend);
    }
    System.setProperty(CudaLibraries.NVRTC_PROPERTY, "false");
    try (CudaBackend backend = open(precision)) {
      assertTrue(backend.describe().endsWith("kernels compiled ahead of time"), backend.describe());
      assertArrayEquals(expected, SmallUpdate.run(backend), TOLERANCE);
    } finally {
      System.clearProperty(CudaLibraries.NVRTC_PROPERTY);
    }
  }

  private static CudaBackend open(Precision precision) {
    return TestGpu.with(() -> new CudaBackend(TestGpu.options().withPrecision(precision)));
  }
}
