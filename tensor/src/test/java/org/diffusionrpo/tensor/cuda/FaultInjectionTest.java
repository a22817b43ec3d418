package org.diffusionrpo.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cuda.CudaException;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every call of a small training update fails once: one error that names it, nothing leaked, and the device goes on. */
class FaultInjectionTest {
  private static final int OUT_OF_MEMORY = 2;
  private static final int CUDA_LAUNCH_FAILED = 719;
  private static final int CUBLAS_EXECUTION_FAILED = 13;
  private static final int CUDNN_EXECUTION_FAILED = 5000;
  private static final int NVRTC_INTERNAL_ERROR = 11;

  /** Calls whose failure needs no report: releases, and texts of other errors. */
  private static final Set<String> SILENT = Set.of();

  @BeforeEach
  void freshDevice() {
    assumeFalse(TestGpu.isReal(), "faults are injected into the emulated device");
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    CudaEmulator.reset();
  }

  @AfterEach
  void resetDevice() {
    if (!TestGpu.isReal() && TestGpu.missing() == null) {
      CudaEmulator.reset();
    }
  }

  private static CudaBackend open() {
    return TestGpu.with(() -> new CudaBackend(TestGpu.options().withPoison(false)));
  }

  /** Opens, updates twice, closes; the weights. */
  private static float[] scenario() {
    try (CudaBackend backend = open()) {
      SmallUpdate.run(backend);
      return SmallUpdate.run(backend);
    }
  }
}
