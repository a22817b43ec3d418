package org.diffusionrpo.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.diffusionrpo.kernels.cuda.CudaException;
import org.diffusionrpo.kernels.cuda.DeviceOutOfMemoryError;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.kernels.cuda.emulator.Knob;
import org.diffusionrpo.tensor.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each call of a small training update fails once: one error that names it, nothing leaked, and the device goes on. */
@NeedsGpu(emulated = true)
class FaultInjectionTest {
  private static final int UNKNOWN = 999;
  private static final int LAUNCH_FAILED = 719;
  private static final int OUT_OF_MEMORY = 2;
  private static final int CUBLAS_EXECUTION_FAILED = 13;
  private static final int CUDNN_EXECUTION_FAILED = 5000;
  private static final int NVRTC_INTERNAL_ERROR = 11;

  /** Convolutions by cuDNN and by windows add in another order, and AdamW's first step enlarges small differences. */
  private static final float TOLERANCE = 1e-4f;

  /** What gives back: a failure there leaves nothing to do, and the error that led to it was reported. */
  private static final Pattern RELEASE = Pattern.compile(".*(Destroy|Free|Release|Unload).*");
  /** What only explains, or has no status. */
  private static final Pattern TEXT = Pattern.compile(
      ".*(Error|Status)(Name|String)|nvrtcGetProgramLog.*|cudnnGet(Cudart)?Version");

  /**
   * Where there may be another way: without cuDNN (JCuda may lose the code), without NVRTC, with a fresh upload slot, or
   * without the one whose event was not recorded when its buffer was closed.
   */
  private static final Pattern OPTIONAL = Pattern.compile("cudnnGetConvolution.*Algorithm_v7|cuEventQuery|cuEventRecord|nvrtc.*");

  @BeforeEach
  @AfterEach
  void freshDevice() {
    CudaEmulator.reset();
  }

  @Test
  void everyCallThatFailsIsNamedAndNothingLeaks() {
    float[] expected = update();
    List<String> faults = new ArrayList<>();
    callsOfAnUpdate().forEach((name, count) -> {
      for (int nth = 1; nth <= count && !TEXT.matcher(name).matches(); nth++) {
        CudaEmulator.reset();
        CudaEmulator.fail(name, nth, code(name));
        String fault = afterFailure(name, expected);
        if (fault != null) {
          faults.add(name + " " + nth + " of " + count + ": " + fault);
        }
      }
    });
    CudaEmulator.reset();
    assertEquals(List.of(), faults);
    assertArrayEquals(expected, update());
  }

  /** Before the device is closed: closing reports nothing. */
  private static Map<String, Integer> callsOfAnUpdate() {
    CudaEmulator.reset();
    Map<String, Integer> calls;
    try (CudaBackend backend = open()) {
      update(backend);
      calls = CudaEmulator.calls();
    }
    assertEquals(List.of(), CudaEmulator.leaks());
    return calls;
  }

  /** What is wrong, or null. */
  private static String afterFailure(String name, float[] expected) {
    boolean releases = RELEASE.matcher(name).matches();
    try {
      float[] actual = update();
      if (!releases && !OPTIONAL.matcher(name).matches()) {
        return "no error";
      } else if (!equal(expected, actual)) {
        return "another result";
      }
    } catch (CudaException e) {
      if (!e.getMessage().contains(name) || !e.getMessage().contains("(" + code(name) + ")")) {
        return "named only: " + e.getMessage();
      }
    }
    return releases || CudaEmulator.leaks().isEmpty() ? null : "leaked " + CudaEmulator.leaks();
  }

  private static boolean equal(float[] expected, float[] actual) {
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(expected[i] - actual[i]) <= TOLERANCE)) {
        return false;
      }
    }
    return true;
  }

  private static int code(String call) {
    if (call.startsWith("cublas")) {
      return CUBLAS_EXECUTION_FAILED;
    } else if (call.startsWith("cudnn")) {
      return CUDNN_EXECUTION_FAILED;
    }
    return call.startsWith("nvrtc") ? NVRTC_INTERNAL_ERROR : UNKNOWN;
  }

  @Test
  void aLostDeviceIsReportedAtEveryLaterCallAndANewBackendWorks() {
    float[] expected = update();
    CudaEmulator.reset();
    CudaBackend lost = open();
    CudaEmulator.fail("cuLaunchKernel", 1, LAUNCH_FAILED);
    String message = assertThrows(CudaException.class, () -> SmallUpdate.run(lost)).getMessage();
    assertTrue(message.contains("cuLaunchKernel of ") && message.contains("CUDA_ERROR_LAUNCH_FAILED (719)")
        && message.contains("last checkpoint"), message);
    assertThrows(CudaException.class, lost::synchronize);
    lost.close();
    assertEquals(List.of(), CudaEmulator.leaks());
    assertArrayEquals(expected, update());
  }

  @Test
  void memoryThatOthersKeepIsGivenUpBeforeAnythingFails() {
    float[] expected = update();
    CudaEmulator.reset();
    CudaEmulator.fail("cuMemAlloc", 5, OUT_OF_MEMORY);
    assertArrayEquals(expected, update());
  }

  @Test
  void tooLittleMemoryIsAnErrorAfterWhichTheBackendGoesOn() {
    CudaEmulator.set(Knob.MEMORY_BYTES, String.valueOf(8 << 20));
    try (CudaBackend backend = open()) {
      float[] before = SmallUpdate.run(backend);
      String message = assertThrows(DeviceOutOfMemoryError.class,
          () -> backend.empty(Shape.of(1 << 24))).getMessage();
      assertTrue(message.startsWith("cuMemAlloc of 64 MiB failed: out of memory (2), "), message);
      assertTrue(message.contains("the device has 8 MiB"), message);
      assertArrayEquals(before, SmallUpdate.run(backend));
      assertEquals(0, backend.memory().liveBytes());
    }
    assertEquals(List.of(), CudaEmulator.leaks());
  }

  private static CudaBackend open() {
    return TestGpu.with(() -> new CudaBackend(TestGpu.options().withPoison(false)));
  }

  private static float[] update() {
    try (CudaBackend backend = open()) {
      return update(backend);
    }
  }

  /** Also when it fails, all buffers are back in the pool. */
  private static float[] update(CudaBackend backend) {
    try {
      SmallUpdate.run(backend);
      return SmallUpdate.run(backend); // from the pool
    } finally {
      assertEquals(0, backend.deviceBytesInUse(), "bytes in buffers that nobody closed");
    }
  }
}
