package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.rpo.UnclosedTensors;
import org.diffusionrpo.rpo.align.RunOutcome;
import org.diffusionrpo.rpo.align.TinyRuns;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The device fails in the middle of {@code drpo align}: one error that names the call, nothing left on the device, and
 * {@code --resume} ends with the bits of a run that nothing happened to.
 */
@NeedsGpu(emulated = true)
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
  private static Path begun;
  private static RunOutcome undisturbed;
  /** Of each function, in the undisturbed continuation of the begun run. */
  private static Map<String, Integer> calls;

  @TempDir Path own;
  private Path out;

  @BeforeAll
  static void runUndisturbed() throws IOException {
    runs = TinyRuns.create(folder);
    begun = folder.resolve("begun");
    CudaEmulator.reset();
    align(begun, BEGUN).assertDone();
    Path whole = folder.resolve("whole");
    copy(begun, whole);
    CudaEmulator.reset();
    align(whole, STEPS).assertDone();
    calls = CudaEmulator.calls();
    undisturbed = RunOutcome.of(whole, STEPS);
  }

  @BeforeEach
  void continueTheBegunRun() throws IOException {
    out = own.resolve("run");
    copy(begun, out);
  }

  @AfterEach
  void mendDevice() {
    CudaEmulator.reset();
  }

  @Test
  void launchThatBreaksTheContext() throws IOException {
    CudaEmulator.fail("cuLaunchKernel", late("cuLaunchKernel"), LAUNCH_FAILED);
    assertFailsInAnUpdate("drpo align: cuLaunchKernel of ", "CUDA_ERROR_LAUNCH_FAILED (719)", "last checkpoint");
    assertEquals(List.of(), CudaEmulator.leaks());
    assertResumes();
  }

  @Test
  void lostDevice() throws IOException {
    CudaEmulator.lose("cuLaunchKernel", late("cuLaunchKernel"), DEVICE_UNAVAILABLE);
    assertFailsInAnUpdate("drpo align: cuLaunchKernel of ", "CUDA_ERROR_DEVICE_UNAVAILABLE (46)");
    assertResumes(); // on another device: to a lost one nothing can be given back
  }

  @Test
  void failedProduct() throws IOException {
    CudaEmulator.fail("cublasGemmEx", late("cublasGemmEx"), CUBLAS_EXECUTION_FAILED);
    assertFailsInAnUpdate("drpo align: cublasGemmEx failed: CUBLAS_STATUS_EXECUTION_FAILED (13)");
    assertEquals(List.of(), CudaEmulator.leaks());
    assertResumes();
  }

  @Test
  void failedConvolution() throws IOException {
    String call = "cudnnConvolutionBackwardFilter";
    CudaEmulator.fail(call, late(call), CUDNN_EXECUTION_FAILED);
    assertFailsInAnUpdate("drpo align: " + call + " failed: ", "EXECUTION_FAILED (5000)");
    assertEquals(List.of(), CudaEmulator.leaks());
    assertResumes();
  }

  /** Of all that the undisturbed run takes: while weights are loaded, for the optimizer, in an update. */
  @ParameterizedTest
  @ValueSource(doubles = {0.02, 0.8, 0.9})
  void tooLittleMemory(double share) throws IOException {
    int nth = (int) (share * calls.get("cuMemAlloc"));
    CudaEmulator.fail("cuMemAlloc", nth, OUT_OF_MEMORY);
    CudaEmulator.fail("cuMemAlloc", nth, OUT_OF_MEMORY); // again, when it is tried without what the pool kept
    fail("drpo: out of GPU memory (cuMemAlloc of 1 MiB failed: out of memory (2), ", "drpo plan");
    assertEquals(List.of(), CudaEmulator.leaks());
    assertResumes();
  }

  /** Well inside the updates that follow the resume. */
  private static int late(String call) {
    return calls.get(call) * 2 / 3;
  }

  private void assertFailsInAnUpdate(String... message) {
    String said = fail(message);
    assertTrue(said.contains("continued after update " + BEGUN), said);
    assertFalse(said.contains("Saving"), said);
  }

  /** What the command said. */
  private String fail(String... message) {
    try (UnclosedTensors unclosed = new UnclosedTensors()) {
      CliRun failed = align(out, STEPS);
      failed.assertFailed(Errors.FAILURE, message);
      assertFalse(failed.err().contains("internal error"), failed.err());
      unclosed.assertNone();
      return failed.err();
    }
  }

  private void assertResumes() throws IOException {
    CudaEmulator.reset();
    align(out, STEPS).assertDone();
    RunOutcome.assertSame(undisturbed, RunOutcome.of(out, STEPS));
    assertEquals(List.of(), CudaEmulator.leaks());
  }

  /** SFT has the shortest updates. */
  private static CliRun align(Path out, int steps) {
    return TestGpu.with(() -> CliRun.of("align", "--backend", "cuda", "--model", runs.model(), "--data", runs.data(),
        "--out", out, "--objective", "sft", "--steps", steps, "--batch", 2, "--warmup", 0, "--checkpoint-every", 1,
        "--ema", 0.9, "--samples", 0, "--evaluate", 0, "--resume"));
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> tree = Files.walk(from)) {
      for (Path path : tree.sorted().toList()) { // a folder before what is in it
        Files.copy(path, to.resolve(from.relativize(path)));
      }
    }
  }
}
