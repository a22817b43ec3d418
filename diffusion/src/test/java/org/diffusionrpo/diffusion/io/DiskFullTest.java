package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A save that the operating system stops with an error, as it does when the disk is full. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the size of files is limited with the shell's ulimit")
class DiskFullTest {
  /** Blocks of 512 or 1024 bytes: more than every file of the tiny model but the UNet's weights. */
  private static final int BLOCKS = 70;

  @TempDir Path folder;

  @Test
  void saveThatFailsHalfWayIsOneErrorAndLeavesTheEarlierSave() throws IOException, InterruptedException {
    Path model = folder.resolve("model");
    save(model);
    byte[] before = Files.readAllBytes(model.resolve("unet/diffusion_pytorch_model.safetensors"));
    assertTrue(before.length > 1024 * BLOCKS, before.length + " bytes");
    for (Path target : List.of(model, folder.resolve("new"))) {
      String output = inAProcessWithShortFiles(target);
      assertTrue(output.contains("diffusion_pytorch_model.safetensors: cannot write tensor"), output);
      assertEquals(1, output.lines().count(), output);
    }
    assertArrayEquals(before, Files.readAllBytes(model.resolve("unet/diffusion_pytorch_model.safetensors")));
    try (Stream<Path> children = Files.list(folder)) {
      assertEquals(List.of(model), children.toList());
    }
  }

  private static String inAProcessWithShortFiles(Path target) throws IOException, InterruptedException {
    Process process = new ProcessBuilder("bash", "-c", "ulimit -f " + BLOCKS + "; exec \"$@\"", "bash",
        ProcessHandle.current().info().command().orElse("java"), "-XX:-UsePerfData",
        "--add-modules=jdk.incubator.vector", "-cp", System.getProperty("java.class.path"), Save.class.getName(),
        target.toString()).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertEquals(3, process.exitValue(), output);
    return output;
  }

  private static void save(Path target) throws IOException {
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyModel.create(backend)) {
      model.save(target, DType.F32);
    }
  }

  /** Saves the tiny model; prints the error and ends with status 3 if it cannot. */
  static final class Save {
    private Save() {}

    public static void main(String[] args) {
      try {
        save(Path.of(args[0]));
      } catch (IOException e) {
        System.out.println(e.getMessage());
        System.exit(3);
      }
    }
  }
}
