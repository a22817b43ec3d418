package org.diffusionrpo.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.kernels.cuda.emulator.Knob;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.ops.OpCase;
import org.diffusionrpo.tensor.ops.OpConformanceTest;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Results do not depend on when the device gets to its work, nor on the order of its threads. With the pool and the
 * slots of uploads in use, as in training.
 */
@NeedsGpu(emulated = true)
class StreamOrderTest {
  private static final int UPDATES = 4;

  private static float[] update;
  private static Map<OpCase, Map<String, double[]>> operations;

  enum Device {
    /** Streams run only where the host waits for them. */
    DEFERRED,
    /** Threads and blocks in an order that no kernel may rely on; accesses without a barrier between are a fault. */
    SHUFFLED;

    CudaBackend open() {
      CudaEmulator.reset();
      if (this == DEFERRED) {
        CudaEmulator.set(Knob.DEFERRED_STREAMS, "true");
      } else {
        CudaEmulator.set(Knob.THREAD_ORDER, "shuffled");
        CudaEmulator.set(Knob.RACE_CHECK, "true");
      }
      return StreamOrderTest.open();
    }
  }

  private static CudaBackend open() {
    return TestGpu.with(() -> new CudaBackend(TestGpu.options().withPoison(false)));
  }

  @BeforeAll
  static void ordinaryResults() {
    CudaEmulator.reset();
    operations = new LinkedHashMap<>();
    try (CudaBackend backend = open()) {
      update = SmallUpdate.run(backend);
      OpConformanceTest.cases().forEach(each -> operations.put(each, each.run(backend)));
    }
  }

  @AfterAll
  static void reset() {
    CudaEmulator.reset();
  }

  @ParameterizedTest
  @EnumSource
  void updatesAreEqual(Device device) {
    try (CudaBackend backend = device.open()) {
      for (int i = 0; i < UPDATES; i++) {
        assertArrayEquals(update, SmallUpdate.run(backend), "update " + i);
      }
    }
    assertEquals(List.of(), CudaEmulator.leaks());
  }

  @ParameterizedTest
  @EnumSource
  void operationsAreEqual(Device device) {
    try (CudaBackend backend = device.open()) {
      assertAll(operations.entrySet().stream().map(each -> () -> {
        Map<String, double[]> actual = each.getKey().run(backend);
        each.getValue().forEach((name, expected) ->
            assertArrayEquals(expected, actual.get(name), () -> each.getKey() + ": " + name));
      }));
    }
    assertEquals(List.of(), CudaEmulator.leaks());
  }

  /** An upload may use the memory of an earlier one only when its last kernel is done, on either stream. */
  @ParameterizedTest
  @EnumSource
  void uploadsDoNotOvertakeKernels(Device device) {
    int n = 1000;
    float expected = 0;
    try (CudaBackend backend = device.open(); MemoryScope all = backend.scope()) {
      Tensor sum = backend.zeros(Shape.of(n));
      float[] values = new float[n];
      for (int i = 1; i <= 20; i++) {
        try (MemoryScope step = backend.scope()) {
          Arrays.fill(values, i);
          Tensor x = backend.of(sum.shape(), values);
          Arrays.fill(values, -1); // the caller may use its array again at once
          backend.addTo(sum, x);
          backend.scale(x, x, 0);
          expected += i;
        }
      }
      float[] sums = new float[n];
      Arrays.fill(sums, expected);
      assertArrayEquals(sums, sum.toArray());
    }
    assertEquals(List.of(), CudaEmulator.leaks());
  }
}
