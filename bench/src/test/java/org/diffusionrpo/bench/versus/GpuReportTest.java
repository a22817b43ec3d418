package org.diffusionrpo.bench.versus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.junit.jupiter.api.Test;

class GpuReportTest {
  @Test
  void everyPrecisionHasItsTable() {
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    TestGpu.with(() -> {
      new GpuReport(new PrintStream(bytes, true, StandardCharsets.UTF_8), "cuda", 0)
          .print(Pattern.compile("layer_norm .*forward|gemm NT 64x"), 64, 1 << 16, false);
      return null;
    });
    String report = bytes.toString(StandardCharsets.UTF_8);
    assertEquals(4, report.lines().filter(line -> line.startsWith("Running on the GPU: ")).count(), report);
    assertEquals(4, report.lines().filter(line -> line.matches("copy [0-9.]+ GB/s, cuBLAS gemm NT 64x64x64 .*")).count());
    assertEquals(4, report.lines().filter(
        line -> line.matches("layer_norm \\[2,4096,320] forward +[0-9.]+ +[0-9.]+ +[0-9.]+ %")).count(), report);
    assertTrue(report.lines().anyMatch(line -> line.matches("gemm NT 64x1280x11520 +[0-9.]+ +[0-9.]+ +[0-9.]+ %")),
        report);
  }
}
