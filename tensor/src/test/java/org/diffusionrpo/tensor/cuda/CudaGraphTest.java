package org.diffusionrpo.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.kernels.cuda.CudaException;
import org.diffusionrpo.kernels.cuda.CudaOptions;
import org.diffusionrpo.kernels.cuda.Precision;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.kernels.cuda.emulator.Knob;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Replay;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Repeated work as a CUDA graph gives what the same work gives without one, and leaves nothing behind. */
class CudaGraphTest {
  private static final int STEPS = 5;
  private static final int UNKNOWN = 999;
  private static final int OUT_OF_MEMORY = 2;
  private static final Shape SHAPE = Shape.of(3, 5);

  @BeforeEach
  @AfterEach
  void freshDevice() {
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    if (!TestGpu.isReal()) {
      CudaEmulator.reset();
    }
  }

  @ParameterizedTest
  @EnumSource
  void replaysAreBitEqualToOrdinaryRuns(Precision precision) {
    CudaOptions options = TestGpu.options().withPrecision(precision);
    List<float[]> expected = steps(options);
    List<float[]> actual = steps(options.withGraphs(true));
    for (int step = 0; step < STEPS; step++) {
      assertArrayEquals(expected.get(step), actual.get(step), "step " + step);
    }
  }

  @Test
  void aReplayWaitsForItsInputs() {
    List<float[]> expected = steps(pooled());
    assumeEmulated();
    CudaEmulator.reset();
    CudaEmulator.set(Knob.DEFERRED_STREAMS, "true");
    List<float[]> actual = steps(pooled());
    for (int step = 0; step < STEPS; step++) {
      assertArrayEquals(expected.get(step), actual.get(step), "step " + step);
    }
  }

  @Test
  void launchesDoNotGrowWithTheSteps() {
    assumeEmulated();
    Map<String, Integer> few = callsOf(2);
    Map<String, Integer> many = callsOf(7);
    assertEquals(few.get("cuLaunchKernel"), many.get("cuLaunchKernel"));
    assertEquals(few.get("cublasGemmEx"), many.get("cublasGemmEx"));
    assertEquals(few.get("cuMemAlloc"), many.get("cuMemAlloc"));
    assertEquals(1, few.get("cuGraphLaunch"));
    assertEquals(6, many.get("cuGraphLaunch"));
    assertEquals(1, many.get("cuGraphInstantiateWithFlags"));
  }

  private static Map<String, Integer> callsOf(int steps) {
    CudaEmulator.reset();
    try (CudaBackend backend = open(pooled()); RepeatedForward forward = new RepeatedForward(backend)) {
      for (int step = 0; step < steps; step++) {
        forward.step(step);
      }
      return CudaEmulator.calls();
    }
  }

  @Test
  void aSingleRunIsNotRecorded() {
    assumeEmulated();
    try (CudaBackend backend = open(pooled()); RepeatedForward forward = new RepeatedForward(backend)) {
      forward.step(0);
      assertEquals(0, CudaEmulator.calls("cuStreamBeginCapture"));
    }
  }

  @Test
  void memoryOfAReplayIsNobodyElsesUntilItCloses() {
    try (CudaBackend backend = open(pooled())) {
      try (RepeatedForward one = new RepeatedForward(backend); RepeatedForward other = new RepeatedForward(backend);
          MemoryScope scope = backend.scope()) {
        float[] expected = one.step(3);
        one.step(4);
        other.step(3);
        other.step(4);
        List<Tensor> neighbours = new ArrayList<>();
        for (int size = 1; size < 1 << 12; size *= 2) {
          neighbours.add(backend.empty(Shape.of(size)));
          backend.fill(neighbours.get(neighbours.size() - 1), 7);
        }
        assertArrayEquals(expected, other.step(3));
        assertArrayEquals(expected, one.step(3));
        for (Tensor neighbour : neighbours) {
          float[] sevens = new float[neighbour.size()];
          Arrays.fill(sevens, 7);
          assertArrayEquals(sevens, neighbour.toArray());
        }
      }
    }
  }

  @Test
  void memoryIsGivenBackAtTheEnd() {
    assumeEmulated();
    for (CudaOptions options : List.of(pooled(), pooled().withPoison(true))) {
      CudaEmulator.reset();
      try (CudaBackend backend = open(options)) {
        long before = CudaEmulator.liveBytes();
        try (RepeatedForward forward = new RepeatedForward(backend)) {
          for (int step = 0; step < 3; step++) {
            forward.step(step);
          }
        }
        backend.trim();
        assertEquals(before, CudaEmulator.liveBytes());
        assertEquals(List.of(), graphs());
      }
      assertEquals(List.of(), CudaEmulator.leaks());
    }
  }

  @Test
  void theFirstRunMayTakeWhatThePoolGivesUp() {
    assumeEmulated();
    CudaEmulator.set(Knob.MEMORY_BYTES, String.valueOf(8 << 20));
    CudaEmulator.set(Knob.DEFERRED_STREAMS, "true");
    try (CudaBackend backend = open(pooled()); MemoryScope scope = backend.scope()) {
      Tensor y = backend.zeros(SHAPE);
      backend.zeros(Shape.of(5 << 18)).close(); // is kept, and its kernel has not run
      try (Replay replay = backend.record(() -> {
        backend.zeros(Shape.of(6 << 18));
        backend.fill(y, 3);
      })) {
        replay.run();
        replay.run();
        assertEquals(3, y.toArray()[0]);
      }
    }
  }

  @Test
  void aTensorThatOutlivesTheReplayKeepsItsMemory() {
    try (CudaBackend backend = open(pooled()); MemoryScope scope = backend.scope()) {
      List<Tensor> kept = new ArrayList<>();
      try (Replay replay = backend.record(() -> {
        Tensor made = backend.zeros(SHAPE);
        kept.add(made.share());
      })) {
        replay.run();
      }
      Tensor next = backend.empty(SHAPE);
      backend.fill(next, 7);
      assertArrayEquals(new float[SHAPE.size()], kept.get(0).toArray());
      kept.get(0).close();
    }
  }

  @Test
  void whatTheHostDoesIsRefusedFromTheFirstRunOn() {
    try (CudaBackend backend = open(TestGpu.options().withGraphs(true)); MemoryScope scope = backend.scope()) {
      Tensor x = backend.zeros(SHAPE);
      Replay inner = backend.record(() -> backend.fill(x, 1));
      assertRefused(backend, "an upload", () -> backend.of(SHAPE, new float[SHAPE.size()]));
      assertRefused(backend, "an upload", () -> backend.embeddingForward(x, x, new int[] {0, 1, 2}));
      assertRefused(backend, "a write from the host", () -> backend.write(x, new float[SHAPE.size()]));
      assertRefused(backend, "reading back", () -> x.toArray());
      assertRefused(backend, "reading back", () -> backend.sumOfSquares(List.of(x)));
      assertRefused(backend, "synchronizing", backend::synchronize);
      assertRefused(backend, "a recording", inner::run);
      inner.run();
      float[] ones = new float[SHAPE.size()];
      Arrays.fill(ones, 1);
      assertArrayEquals(ones, x.toArray());
    }
  }

  private static void assertRefused(Backend backend, String operation, Runnable work) {
    try (Replay replay = backend.record(work)) {
      String message = assertThrows(IllegalStateException.class, replay::run).getMessage();
      assertTrue(message.startsWith(operation + " inside a recording: "), message);
    }
  }

  @Test
  void workThatFailsWhileItIsRecordedMayBeTriedAgain() {
    try (CudaBackend backend = open(pooled()); MemoryScope scope = backend.scope()) {
      Tensor x = backend.zeros(SHAPE);
      int[] calls = {0};
      try (Replay replay = backend.record(() -> {
        backend.fill(x, 2);
        if (++calls[0] == 2) {
          throw new ArithmeticException("second call");
        }
      })) {
        replay.run();
        assertThrows(ArithmeticException.class, replay::run);
        backend.fill(x, 0);
        assertEquals(0, x.toArray()[0]);
        replay.run();
        assertEquals(2, x.toArray()[0]);
        replay.run();
        assertEquals(3, calls[0]);
      }
    }
  }

  @Test
  void aBackendClosesTheReplaysThatAreLeftOpen() {
    assumeEmulated();
    CudaBackend backend = open(pooled());
    Tensor x = backend.zeros(SHAPE);
    Replay replay = backend.record(() -> backend.addTo(x, x));
    replay.run();
    replay.run();
    backend.close();
    assertEquals(List.of(), CudaEmulator.leaks());
    replay.close();
  }

  /** In the second run, which records. */
  @ParameterizedTest
  @ValueSource(strings = {"cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiateWithFlags", "cuGraphLaunch",
      "cuLaunchKernel", "cublasGemmEx", "cudnnConvolutionForward", "cuMemcpyDtoDAsync"})
  void aCallThatFailsIsNamedAndLeavesNothingBehind(String call) {
    assumeEmulated();
    int code = call.startsWith("cudnn") ? 5000 : call.startsWith("cublas") ? 13 : UNKNOWN;
    try (CudaBackend backend = open(pooled())) {
      try (RepeatedForward forward = new RepeatedForward(backend)) {
        float[] first = forward.step(1);
        float[] second = forward.step(2);
        assertArrayEquals(first, forward.step(1));
        long live = backend.memory().liveBytes();
        try (RepeatedForward failing = new RepeatedForward(backend)) {
          assertArrayEquals(first, failing.step(1));
          List<String> before = graphs();
          CudaEmulator.fail(call, 1, code);
          String message = assertThrows(CudaException.class, () -> failing.step(2)).getMessage();
          assertTrue(message.startsWith(call) && message.contains("(" + code + ")"), message);
          assertEquals(call.equals("cuGraphLaunch") ? before.size() + 1 : before.size(), graphs().size());
          assertArrayEquals(second, failing.step(2));
        }
        assertEquals(live, backend.memory().liveBytes());
        assertArrayEquals(second, forward.step(2));
      }
      assertEquals(List.of(), graphs());
    }
    assertEquals(List.of(), CudaEmulator.leaks());
  }

  @ParameterizedTest
  @ValueSource(strings = {"cuGraphInstantiateWithFlags", "cuGraphLaunch"})
  void memoryThatOthersKeepIsGivenUpBeforeAGraphFails(String call) {
    assumeEmulated();
    try (CudaBackend backend = open(pooled()); RepeatedForward forward = new RepeatedForward(backend)) {
      float[] first = forward.step(1);
      CudaEmulator.fail(call, 1, OUT_OF_MEMORY);
      forward.step(2);
      assertArrayEquals(first, forward.step(1));
    }
  }

  private static List<float[]> steps(CudaOptions options) {
    List<float[]> outputs = new ArrayList<>();
    try (CudaBackend backend = open(options); RepeatedForward forward = new RepeatedForward(backend)) {
      for (int step = 0; step < STEPS; step++) {
        outputs.add(forward.step(step));
      }
    }
    return outputs;
  }

  /** Graphs that were not given back. */
  private static List<String> graphs() {
    return CudaEmulator.leaks().stream().filter(leak -> leak.contains("graph")).toList();
  }

  /** With graphs, and the pool of real work. */
  private static CudaOptions pooled() {
    return TestGpu.options().withPoison(false).withGraphs(true);
  }

  private static CudaBackend open(CudaOptions options) {
    return TestGpu.with(() -> new CudaBackend(options));
  }

  private static void assumeEmulated() {
    assumeFalse(TestGpu.isReal(), "the emulated device counts, and fails when it is told to");
  }
}
