package org.diffusionrpo.tensor.cuda;

import static org.diffusionrpo.tensor.TestTensors.gaussian;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Of cuDNN's algorithms, the emulated one lists those with atomics first, and their last bits change with each call. */
@NeedsGpu(emulated = true)
class DeterministicAlgorithmsTest {
  private static final int REPEATS = 5;
  /** Float sums in another order. */
  private static final float TOLERANCE = 1e-4f;

  @BeforeEach
  void freshDevice() {
    CudaEmulator.reset();
  }

  @Test
  void equalBitsAreTheDefaultAndOtherAlgorithmsAreTakenWhenAllowed() {
    float[] expected;
    try (CudaBackend backend = open(true)) {
      expected = gradient(backend);
      assertEquals(1, results(backend, expected).size());
    }
    try (CudaBackend backend = open(false)) {
      assertTrue(results(backend, expected).size() > 1, "the faster algorithm was not taken");
    }
  }

  /** Different results of some calls, all of which are right. */
  private static Set<Integer> results(Backend backend, float[] expected) {
    Set<Integer> different = new HashSet<>();
    for (int i = 0; i < REPEATS; i++) {
      float[] actual = gradient(backend);
      assertArrayEquals(expected, actual, TOLERANCE);
      different.add(Arrays.hashCode(actual));
    }
    return different;
  }

  private static float[] gradient(Backend b) {
    try (MemoryScope scope = b.scope()) {
      Tensor dWeight = b.zeros(gaussian(b, 1, 4, 3, 3, 4).shape());
      b.conv2dBackwardWeight(dWeight, null, gaussian(b, 2, 2, 6, 6, 4), gaussian(b, 3, 2, 6, 6, 4),
          Conv2dGeometry.of(1, 1));
      return dWeight.toArray();
    }
  }

  private static CudaBackend open(boolean deterministic) {
    return TestGpu.with(() -> new CudaBackend(TestGpu.options().withDeterministic(deterministic)));
  }
}
