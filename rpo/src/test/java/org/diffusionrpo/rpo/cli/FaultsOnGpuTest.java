package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.rpo.align.RunOutcome;
import org.diffusionrpo.rpo.align.TinyRuns;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The device fails in the middle of {@code drpo align}: one error that names the call, nothing left on the device, and
 * {@code --resume} ends with the bits of a run that nothing happened to.
 */
class FaultsOnGpuTest {
  private static final int BEGUN = 1;
  private static final int STEPS = 3;
  private static final int OUT_OF_MEMORY = 2;
  private static final int DEVICE_UNAVAILABLE = 46;
  private static final int LAUNCH_FAILED = 719;
  private static final int CUBLAS_EXECUTION_FAILED = 13;
  private static final int CUDNN_EXECUTION_FAILED = 5000;

  @TempDir static Path folder;
  private static TinyRuns runs;
  private static RunOutcome undisturbed;
  /** Of each function, in the second part of the undisturbed run. */
  private static Map<String, Integer> calls;

  @BeforeAll
  static void runUndisturbed() throws IOException {
    assumeFalse(TestGpu.isReal(), "faults are injected into the emulated device");
    assumeTrue(TestGpu.missing() == null, TestGpu::missing);
    runs = TinyRuns.create(folder);
    CudaEmulator.reset();
    align("begun", BEGUN).assertDone();
    copy("begun", "undisturbed");
    CudaEmulator.reset();
    align("undisturbed", STEPS).assertDone();
    calls = CudaEmulator.calls();
    undisturbed = outcome("undisturbed");
  }

  @AfterEach
  void mendDevice() {
    CudaEmulator.reset();
  }

  @Test
  void launchThatBreaksTheContext() throws IOException {
    CudaEmulator.fail("cuLaunchKernel", late("cuLaunchKernel"), LAUNCH_FAILED);
    assertFailsAndResumes("drpo align: cuLaunchKernel of ", "CUDA_ERROR_LAUNCH_FAILED (719)", "last checkpoint");
  }

  @Test
  void lostDevice() throws IOException {
    CudaEmulator.lose("cuLaunchKernel", late("cuLaunchKernel"), DEVICE_UNAVAILABLE);
    assertFailsAndResumes("drpo align: cu", "CUDA_ERROR_DEVICE_UNAVAILABLE (46)");
  }

  @Test
  void failedProduct() throws IOException {
    CudaEmulator.fail("cublasGemmEx", late("cublasGemmEx"), CUBLAS_EXECUTION_FAILED);
    assertFailsAndResumes("drpo align: cublasGemmEx failed: CUBLAS_STATUS_EXECUTION_FAILED (13)");
  }

  @Test
  void failedConvolution() throws IOException {
    String call = "cudnnConvolutionBackwardFilter";
    CudaEmulator.fail(call, late(call), CUDNN_EXECUTION_FAILED);
    assertFailsAndResumes("drpo align: cudnnConvolutionBackwardFilter failed: ", "EXECUTION_FAILED (5000)");
  }

  @Test
  void tooLittleMemory() throws IOException {
    int nth = calls.get("cuMemAlloc") / 2;
    CudaEmulator.fail("cuMemAlloc", nth, OUT_OF_MEMORY);
    CudaEmulator.fail("cuMemAlloc", nth, OUT_OF_MEMORY); // the next one, after all that the pool kept was given up
    assertFailsAndResumes("drpo: out of GPU memory (cuMemAlloc of 1 MiB failed: CUDA_ERROR_OUT_OF_MEMORY (2)",
        "drpo plan");
  }

  @Test
  void tooLittleMemoryForTheWeights() throws IOException {
    CudaEmulator.fail("cuMemAlloc", 20, OUT_OF_MEMORY);
    CudaEmulator.fail("cuMemAlloc", 20, OUT_OF_MEMORY);
    assertFailsAndResumes("drpo: out of GPU memory (cuMemAlloc of 1 MiB failed: CUDA_ERROR_OUT_OF_MEMORY (2)");
  }

  /** Well inside the updates that follow the resume. */
  private static int late(String call) {
    return calls.get(call) * 2 / 3;
  }

  private static void assertFailsAndResumes(String... message) throws IOException {
    copy("begun", "disturbed");
    try {
      CliRun failed = align("disturbed", STEPS);
      assertEquals(Errors.FAILURE, failed.code(), failed.err());
      List<String> errors = failed.err().lines().filter(line -> line.startsWith("drpo")).toList();
      assertEquals(1, errors.size(), failed.err());
      for (String part : message) {
        assertTrue(errors.get(0).contains(part), errors.get(0));
      }
      assertFalse(errors.get(0).contains("internal error"), errors.get(0));
      assertFalse(failed.err().contains("\tat "), failed.err());
      assertEquals(List.of(), CudaEmulator.leaks());

      CudaEmulator.reset();
      align("disturbed", STEPS).assertDone();
      RunOutcome.assertSame(undisturbed, outcome("disturbed"));
      assertEquals(List.of(), CudaEmulator.leaks());
    } finally {
      delete(out("disturbed"));
    }
  }

  /** SFT is the shortest update. */
  private static CliRun align(String name, int steps) {
    return TestGpu.with(() -> CliRun.of("align", "--backend", "cuda", "--model", runs.model(), "--data", runs.data(),
        "--out", out(name), "--objective", "sft", "--steps", steps, "--batch", 2, "--warmup", 0, "--checkpoint-every", 1,
        "--samples", 0, "--evaluate", 0, "--resume"));
  }

  private static RunOutcome outcome(String name) throws IOException {
    return RunOutcome.of(out(name), STEPS);
  }

  private static Path out(String name) {
    return folder.resolve(name);
  }

  private static void copy(String from, String to) throws IOException {
    for (Path path : tree(out(from))) {
      Files.copy(path, out(to).resolve(out(from).relativize(path)));
    }
  }

  private static void delete(Path path) throws IOException {
    List<Path> all = new ArrayList<>(tree(path));
    for (int i = all.size() - 1; i >= 0; i--) {
      Files.delete(all.get(i));
    }
  }

  /** A folder before what is in it. */
  private static List<Path> tree(Path path) throws IOException {
    try (Stream<Path> paths = Files.walk(path)) {
      return paths.sorted().toList();
    }
  }
}
