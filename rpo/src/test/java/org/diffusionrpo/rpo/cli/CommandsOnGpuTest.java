package org.diffusionrpo.rpo.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.kernels.cuda.CudaLibraries;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.kernels.cuda.emulator.Knob;
import org.diffusionrpo.rpo.TinyHome;
import org.diffusionrpo.rpo.UnclosedTensors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on a machine that has a GPU. */
@NeedsGpu
class CommandsOnGpuTest {
  /** Of 255: a value that lies between two of them may be rounded to either. */
  private static final int COLOUR_TOLERANCE = 1;

  @TempDir static Path homeFolder;
  private static TinyHome home;

  @TempDir Path folder;

  @BeforeAll
  static void makeHome() throws IOException {
    home = new TinyHome(homeFolder);
  }

  @AfterAll
  static void leaveHome() {
    home.close();
  }

  @BeforeEach
  @AfterEach
  void freshDevice() {
    if (!TestGpu.isReal()) {
      CudaEmulator.reset();
    }
  }

  @Test
  void doctorNamesDeviceAndLibraries() {
    String out = onGpu("doctor").out();
    String device = out.lines().filter(line -> line.contains("cuda:0")).findFirst().orElse(out);
    for (String part : new String[] {"gpu", "compute capability ", "cuBLAS 12.", "cuDNN 9.", "driver for CUDA "}) {
      assertTrue(device.contains(part), device);
    }
    assertTrue(out.lines().anyMatch(line -> line.contains("libcuda.so.1")), out);
  }

  @Test
  void autoTakesTheGpuSaysWhichAndDrawsWhatTheCpuDraws() throws IOException {
    CliRun auto = onGpu(generate("auto", "auto.png")).assertDone();
    assertTrue(auto.err().lines().anyMatch(line -> line.matches("Running on the GPU: .*, fp32, cuBLAS .*")), auto.err());
    CliRun cpu = CliRun.of(generate("cpu", "cpu.png")).assertDone();
    assertFalse(cpu.err().contains("Running on the GPU"), cpu.err());
    byte[] expected = picture("cpu.png").rgb();
    byte[] actual = picture("auto.png").rgb();
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i] & 0xFF, actual[i] & 0xFF, COLOUR_TOLERANCE, "value " + i);
    }
  }

  private Object[] generate(String backend, String file) {
    return new Object[] {"generate", "red cat", "--steps", 2, "--backend", backend, "--out", folder.resolve(file)};
  }

  private RgbImage picture(String file) throws IOException {
    return ImageCodec.read(folder.resolve(file));
  }

  @Test
  void alignMeasuresAndReports() throws IOException {
    Path out = folder.resolve("run");
    CliRun run = onGpu("align", "--backend", "cuda", "--out", out, "--steps", 1, "--batch", 2, "--evaluate", 8,
        "--samples", 2, "--sample-steps", 1).assertDone();
    assertTrue(run.out().lines().anyMatch(line -> line.startsWith("after")), run.out());
    assertTrue(Files.isRegularFile(out.resolve("report.html")));
    String computed = new ObjectMapper().readTree(out.resolve("run.json").toFile()).at("/versions/backend").asText();
    assertTrue(run.err().contains("Running on the GPU: " + computed), computed);
  }

  @Test
  void alignTrainsAdaptersOnHalfWeights() throws IOException {
    Path out = folder.resolve("run");
    onGpu("align", "--backend", "cuda", "--out", out, "--steps", 1, "--batch", 2, "--evaluate", 0, "--samples", 0,
        "--lora", 2, "--storage", "bf16", "--ema", 0.9, "--optimizer", "adafactor", "--gradient-checkpointing")
        .assertDone();
    onGpu("generate", "red cat", "--backend", "cuda", "--steps", 1, "--out", folder.resolve("cat.png"), "--lora",
        out.resolve("lora/pytorch_lora_weights.safetensors")).assertDone();
  }

  @Test
  void otherCommandsComputeThereToo() {
    onGpu("evaluate", "--backend", "cuda", "--seeds", 1, "--images", 4, "--sample-steps", 1).assertDone();
    onGpu("encode", "--backend", "cuda", "--cache", folder.resolve("cache")).assertDone();
  }

  @Test
  void whatTheGpuCannotDoIsOneError() {
    assumeFalse(TestGpu.isReal(), "another device is emulated");
    onGpu("generate", "cat", "--backend", "cuda:7").assertRefused("--backend cuda:7: there is no GPU 7, the last one is 0");
    CudaEmulator.set(Knob.COMPUTE_CAPABILITY, "7.5");
    onGpu("generate", "cat", "--backend", "cuda", "--precision", "bf16").assertRefused("bf16", "7.5", "8.0");
    onGpu("generate", "cat", "--backend", "auto", "--precision", "bf16").assertRefused("--precision bf16", "CPU", "7.5");
    CudaEmulator.set(Knob.DEVICE_COUNT, "0");
    onGpu("generate", "cat", "--backend", "cuda").assertRefused("--backend cuda: ", "no GPU");
    CliRun.of("generate", "cat", "--backend", "cpu", "--precision", "bf16").assertRefused("--precision bf16", "CPU", "fp32");
    assertFalse(CudaLibraries.hasDriver(), "the emulated device is seen by these commands alone");
  }

  /** Runs a command that must leave nothing on the device. */
  private static CliRun onGpu(Object... words) {
    try (UnclosedTensors unclosed = new UnclosedTensors()) {
      CliRun run = TestGpu.with(() -> CliRun.of(words));
      unclosed.assertNone();
      if (!TestGpu.isReal()) {
        assertEquals(List.of(), CudaEmulator.leaks());
      }
      return run;
    }
  }
}
