package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.kernels.cuda.CudaLibraries;
import org.diffusionrpo.rpo.cli.Machine.Finding;
import org.diffusionrpo.rpo.cli.Machine.State;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineTest {
  private static final long GIB = 1L << 30;

  @TempDir Path folder;

  @Test
  void doctorLooksAtEverythingAndNeverFails() {
    CliRun run = CliRun.of("doctor");
    assertTrue(run.code() < 2, run.err());
    assertEquals("", run.err());
    for (String name : List.of("java", "vectors", "cores", "memory", "disk", "gpu", "model", "data")) {
      assertTrue(run.out().contains(name), run.out());
    }
  }

  @Test
  void everyProblemSaysWhatToDo() throws IOException {
    for (Finding finding : List.of(Machine.java(11, "OpenJDK 64-Bit Server VM"), Machine.java(17, "OpenJDK Zero VM"),
        Machine.memory(16 * GIB, GIB / 2), Machine.model(folder), Machine.data(folder.resolve("gone.parquet")))) {
      assertEquals(State.BROKEN, finding.state(), finding.toString());
      assertTrue(finding.advice().length() > 20, finding.toString());
    }
    for (Finding finding : List.of(Machine.vectors(false, "scalar"), Machine.cores(8, 2), Machine.disk(GIB / 10))) {
      assertEquals(State.SLOW, finding.state(), finding.toString());
      assertTrue(finding.advice().length() > 10, finding.toString());
    }
  }

  @Test
  void whatIsFineHasNoAdvice() {
    for (Finding finding : List.of(Machine.java(25, "OpenJDK 64-Bit Server VM"), Machine.vectors(true, "vector"),
        Machine.cores(2, 2), Machine.memory(8 * GIB, 6 * GIB), Machine.disk(50 * GIB))) {
      assertEquals(State.FINE, finding.state(), finding.toString());
      assertEquals("", finding.advice());
    }
  }

  @Test
  void aGpuWithoutItsDriverIsNoted() throws IOException {
    String only = System.setProperty(CudaLibraries.ONLY_PROPERTY, "true");
    try {
      assertGpuWithoutDriver();
    } finally {
      if (only == null) {
        System.clearProperty(CudaLibraries.ONLY_PROPERTY);
      }
    }
  }

  private void assertGpuWithoutDriver() throws IOException {
    Path devices = Files.createDirectory(folder.resolve("dev"));
    Finding none = Gpu.examine(devices).get(0);
    assertEquals(State.FINE, none.state());
    assertTrue(none.text().contains("no NVIDIA GPU found"));
    Files.createFile(devices.resolve("nvidia0"));
    Files.createFile(devices.resolve("nvidiactl"));
    Finding card = Gpu.examine(devices).get(0);
    assertEquals(State.SLOW, card.state());
    assertTrue(card.text().startsWith("1 NVIDIA device file, but no libcuda.so.1"), card.text());
    assertTrue(card.advice().contains("R525"), card.advice());
  }
}
