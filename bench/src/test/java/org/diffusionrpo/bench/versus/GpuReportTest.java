package org.diffusionrpo.bench.versus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.diffusionrpo.kernels.cuda.Precision;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GpuReportTest {
  private static final int LAUNCH_FAILED = 719;

  @BeforeEach
  void freshDevice() {
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    if (!TestGpu.isReal()) {
      CudaEmulator.reset();
    }
  }

  @Test
  void everyPrecisionHasItsTable() {
    long precisions = Arrays.stream(Precision.values()).filter(each -> TestGpu.missing(each) == null).count();
    String report = report("layer_norm .*forward|gemm NT 64x|^adamw|^sum_rows");
    assertEquals(precisions, count(report, "Running on the GPU: .*"), report);
    assertEquals(precisions, count(report, "copy [0-9.]+ GB/s, cuBLAS gemm NT 64x64x64 .*"), report);
    assertEquals(precisions, count(report, "layer_norm \\[2,4096,320] forward +[0-9.]+ +[0-9.]+ +[0-9.]+ %"), report);
    assertEquals(precisions, count(report, "adamw \\[2,64,64,320] +[0-9.]+ +[0-9.]+ +[0-9.]+ %"), report);
    assertEquals(precisions, count(report, "sum_rows \\[2,64,64,320] +[0-9.]+ +[0-9.]+ +[0-9.]+ %"), report);
    assertEquals(precisions, count(report, "gemm NT 64x1280x11520 +[0-9.]+ +[0-9.]+ +[0-9.]+ %"), report);
  }

  /** After the failure of a kernel no call works until the device is opened again. */
  @Test
  void aRowThatFailsSaysWhyAndTheReportGoesOn() {
    assumeFalse(TestGpu.isReal(), "faults are injected into the emulated device");
    CudaEmulator.fail("cublasGemmEx", 1, 13);
    CudaEmulator.fail("cuLaunchKernel", 20, LAUNCH_FAILED);
    String report = report("layer_norm .*");
    assertEquals(1, count(report, "gemm NT 64x64x64 .*cublasGemmEx.*"), report);
    assertEquals(1, count(report, "copy [0-9.]+ GB/s, cuBLAS gemm NT 64x64x64 NaN TFLOP/s"), report);
    assertEquals(1, count(report, ".*CUDA_ERROR_LAUNCH_FAILED.*"), report);
    assertEquals(7, count(report, "layer_norm .* +[0-9.]+ +[0-9.]+ +[0-9.]+ %"), report);
    assertTrue(CudaEmulator.leaks().isEmpty(), () -> CudaEmulator.leaks().toString());
  }

  private static String report(String rows) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    TestGpu.with(() -> {
      new GpuReport(new PrintStream(bytes, true, StandardCharsets.UTF_8), "cuda", 0)
          .print(Pattern.compile(rows), 64, 1 << 16, false);
      return null;
    });
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static long count(String report, String line) {
    return report.lines().filter(each -> each.matches(line)).count();
  }
}
