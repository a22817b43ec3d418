package org.diffusionrpo.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.emulator.CudaEmulator;
import org.diffusionrpo.kernels.cuda.emulator.Knob;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import org.diffusionrpo.tensor.ChildJvm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first moments of a process: libraries that are there, missing or broken, and starts at the same time. */
@NeedsGpu(emulated = true)
class CudaStartTest {
  private static final String NAME = "test.backend";
  private static final String KNOB = "test.knob";

  @TempDir Path folder;

  @Test
  void aMachineWithoutAGpuLoadsNoClassOfJcuda() throws Exception {
    String output = ChildJvm.run(Open.class, "-D" + NAME + "=auto", "-Ddrpo.cuda.libraries.only=true",
        "-verbose:class");
    assertTrue(output.contains("Running on the CPU: no NVIDIA driver"), output);
    assertFalse(output.contains("jcuda."), "a class of JCuda was loaded");
  }

  @Test
  void autoTakesTheDeviceAndSaysWhich() throws Exception {
    String output = start("auto", libraries("libcuda.so.1", "libcublas.so.12", "libcudnn.so.9", "libnvrtc.so.12"));
    assertTrue(output.contains("Running on the GPU: "), output);
    assertTrue(output.contains("compute capability 8.0") && output.contains("by NVRTC 12."), output);
    assertTrue(output.contains("to be compiled at first use"), output);
    assertFalse(start("auto", CudaEmulator.libraries()).contains("first use"), "the kernels are in the cache now");
  }

  @Test
  void withoutNvrtcTheKernelsOfTheJarAreTaken() throws Exception {
    String output = start("cuda", libraries("libcuda.so.1", "libcublas.so.12", "libcudnn.so.9"));
    assertTrue(output.contains("kernels compiled ahead of time"), output);
    assertEquals(result(start("cuda", CudaEmulator.libraries())), result(output));
  }

  @Test
  void whereNvrtcFailsTheKernelsOfTheJarAreTakenToo() throws Exception {
    String output = start("cuda", CudaEmulator.libraries(), "-D" + KNOB + "=NVRTC_BROKEN:true");
    assertTrue(output.contains("NVRTC_ERROR_BUILTIN_OPERATION_FAILURE"), output);
    assertTrue(output.contains("is taken as compiled ahead of time"), output);
    assertEquals(result(start("cuda", CudaEmulator.libraries())), result(output));
  }

  @Test
  void aMissingLibraryIsNamedWithWhatToInstall() throws Exception {
    Path withoutCudnn = libraries("libcuda.so.1", "libcublas.so.12");
    String output = start("cuda", withoutCudnn);
    assertTrue(output.contains("--backend cuda: libcudnn.so.9 was not found; install cuDNN 9"), output);
    output = start("auto", withoutCudnn);
    assertTrue(output.contains("Running on the CPU: libcudnn.so.9 was not found"), output);
  }

  /** NVIDIA's libcudnn.so.9 aborts the process at the first call when it does not find these. */
  @Test
  void anIncompleteCudnnIsNamed() throws Exception {
    Path libraries = libraries("libcuda.so.1", "libcublas.so.12", "libnvrtc.so.12");
    byte[] cudnn = Files.readAllBytes(CudaEmulator.libraries().resolve("libcudnn.so.9"));
    byte[] name = "libcudnn_graph.so".getBytes(StandardCharsets.US_ASCII); // as in the shim; beyond what is loaded
    byte[] shim = Arrays.copyOf(cudnn, cudnn.length + name.length);
    System.arraycopy(name, 0, shim, cudnn.length, name.length);
    Files.write(libraries.resolve("libcudnn.so.9"), shim);
    for (String part : List.of("graph", "ops", "cnn", "heuristic", "engines_runtime_compiled")) {
      Files.createSymbolicLink(libraries.resolve("libcudnn_" + part + ".so.9"),
          CudaEmulator.libraries().resolve("libcublas.so.12"));
    }
    String output = start("cuda", libraries);
    assertTrue(output.contains("libcudnn.so.9 needs libcudnn_engines_precompiled.so.9, which was not found; install "
        + "cuDNN 9"), output);
    Files.createSymbolicLink(libraries.resolve("libcudnn_engines_precompiled.so.9"),
        CudaEmulator.libraries().resolve("libcublas.so.12"));
    result(start("cuda", libraries));
  }

  @Test
  void aDamagedLibraryIsNamed() throws Exception {
    Path libraries = libraries("libcuda.so.1", "libcudnn.so.9", "libnvrtc.so.12");
    Files.write(libraries.resolve("libcublas.so.12"), new byte[100]);
    String output = start("cuda", libraries);
    assertTrue(output.contains("libcublas.so.12 does not load: "), output);
  }

  @Test
  void anOldDriverAndAnOldCudnnAreNamed() throws Exception {
    String output = start("cuda", CudaEmulator.libraries(), "-D" + KNOB + "=DRIVER_VERSION:11080");
    assertTrue(output.contains("the driver is made for CUDA 11.8; install R525 (CUDA 12) or newer"), output);
    output = start("cuda", CudaEmulator.libraries(), "-D" + KNOB + "=CUDNN_VERSION:8907");
    assertTrue(output.contains("cuDNN 8907 is too old; install cuDNN 9"), output);
    output = start("cuda:3", CudaEmulator.libraries());
    assertTrue(output.contains("--backend cuda:3: there is no GPU 3, the last one is 0"), output);
    output = start("cuda", CudaEmulator.libraries(), "-D" + KNOB + "=DEVICE_COUNT:0");
    assertTrue(output.contains("the driver finds no GPU"), output);
  }

  @Test
  void firstStartsAtTheSameTimeLeaveAWholeCache() throws Exception {
    Path libraries = CudaEmulator.libraries();
    List<CompletableFuture<String>> starts = IntStream.range(0, 3)
        .mapToObj(i -> CompletableFuture.supplyAsync(() -> result(start("cuda", libraries)))).toList();
    long different = starts.stream().map(CompletableFuture::join).distinct().count();
    assertEquals(1, different);
    try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
      List<String> names = files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()).toList();
      assertTrue(names.stream().anyMatch(name -> name.startsWith("libJCudaDriver")), names::toString);
      assertTrue(names.stream().anyMatch(name -> name.startsWith("elementwise-sm_80-nvrtc")), names::toString);
      assertTrue(names.stream().noneMatch(name -> name.startsWith(".")), names::toString);
    }
  }

  @Test
  void aDamagedKernelInTheCacheIsMadeAnew() throws Exception {
    String before = result(start("cuda", CudaEmulator.libraries()));
    try (Stream<Path> files = Files.list(folder.resolve("cache").resolve("kernels"))) {
      for (Path file : files.toList()) {
        Files.write(file, new byte[] {1, 2, 3});
      }
    }
    assertEquals(before, result(start("cuda", CudaEmulator.libraries())));
  }

  private Path libraries(String... names) throws IOException {
    Path libraries = Files.createTempDirectory(folder, "lib");
    Stream.concat(Stream.of(names), Stream.of("kernel", "kernels")).forEach(name -> link(libraries, name));
    return libraries;
  }

  private static void link(Path libraries, String name) {
    try {
      Files.createSymbolicLink(libraries.resolve(name), CudaEmulator.libraries().resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String start(String backend, Path libraries, String... options) {
    String[] all = Arrays.copyOf(options, options.length + 4);
    all[options.length] = "-D" + NAME + "=" + backend;
    all[options.length + 1] = "-Ddrpo.cuda.libraries=" + libraries;
    all[options.length + 2] = "-Ddrpo.cuda.libraries.only=true";
    all[options.length + 3] = "-Ddrpo.cuda.cache=" + folder.resolve("cache");
    try {
      return ChildJvm.run(Open.class, all);
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String result(String output) {
    return output.lines().filter(line -> line.startsWith("[")).findFirst().orElseThrow(() ->
        new AssertionError(output));
  }

  /** Opens a backend and computes with it, or prints why not. */
  static final class Open {
    private Open() {}

    public static void main(String[] args) {
      String[] knob = System.getProperty(KNOB, "").split(":");
      if (knob.length == 2) {
        CudaEmulator.set(Knob.valueOf(knob[0]), knob[1]);
      }
      try (Backend backend = Backends.open(System.getProperty(NAME), "fp32", System.out::println)) {
        System.out.println(Arrays.toString(SmallUpdate.run(backend)));
      } catch (IllegalArgumentException e) {
        System.out.println(e.getMessage());
      }
    }
  }
}
