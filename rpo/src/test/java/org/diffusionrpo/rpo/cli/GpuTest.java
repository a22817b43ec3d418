package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.rpo.cli.Machine.Finding;
import org.diffusionrpo.rpo.cli.Machine.State;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the doctor says of a GPU whose driver, compiler or kernels do not work. */
@NeedsGpu(emulated = true)
class GpuTest {
  @BeforeEach
  @AfterEach
  void freshDevice() {
    CudaEmulator.reset();
  }

  @Test
  void aDeviceThatComputesIsFine() {
    Finding finding = last();
    assertEquals(State.FINE, finding.state(), finding.toString());
    assertTrue(finding.text().startsWith("cuda:0 Emulated GPU (compute capability 8.0"), finding.text());
    assertEquals(1, CudaEmulator.calls("cuLaunchKernel"));
    assertEquals(List.of(), CudaEmulator.leaks());
  }

  @ParameterizedTest
  @CsvSource({"802, nvidia-fabricmanager", "803, start the machine again", "804, cuda-compat", "34, stubs",
      "999, --gpus all", "3, nvidia-smi"})
  void aDriverThatDoesNotStartSaysWhatToDo(int code, String advice) {
    CudaEmulator.fail("cuInit", 1, code);
    Finding finding = last();
    assertEquals(State.SLOW, finding.state(), finding.toString());
    assertTrue(finding.text().startsWith("drpo runs on the CPU: cuInit failed: CUDA_ERROR_")
        && finding.text().contains("(" + code + ")") && finding.text().contains(advice), finding.text());
  }

  @Test
  void noDeviceIsNoError() {
    CudaEmulator.fail("cuInit", 1, 100);
    Finding finding = last();
    assertEquals("the driver finds no GPU: drpo runs on the CPU", finding.text());
    assertTrue(finding.advice().contains("nvidia-smi") && finding.advice().contains("--gpus all"), finding.advice());
  }

  @ParameterizedTest
  @CsvSource({"cuModuleLoadData, 218", "cuLaunchKernel, 719", "cuMemAlloc, 2"})
  void aKernelThatDoesNotRunIsNoted(String call, int code) {
    CudaEmulator.lose(call, 1, code);
    Finding finding = last();
    assertEquals(State.SLOW, finding.state(), finding.toString());
    assertTrue(finding.advice().contains(call), finding.advice());
  }

  private static Finding last() {
    List<Finding> findings = TestGpu.with(() -> Gpu.examine(Path.of("/dev")));
    return findings.get(findings.size() - 1);
  }
}
