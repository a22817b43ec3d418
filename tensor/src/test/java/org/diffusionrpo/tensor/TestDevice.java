package org.diffusionrpo.tensor;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.cuda.CudaBackend;

/** Where tests of whole networks run: on every backend that a user can choose. The oracle is too slow for them. */
public enum TestDevice {
  CPU {
    @Override
    public Backend open() {
      return CpuBackend.poisoned();
    }
  },
  GPU {
    @Override
    public Backend open() {
      assumeTrue(TestGpu.missing() == null, TestGpu::missing);
      return TestGpu.with(() -> new CudaBackend(TestGpu.options()));
    }
  };

  /** A fresh backend that notices the use of stale memory. Where it cannot be had, the test is skipped with the reason. */
  public abstract Backend open();
}
