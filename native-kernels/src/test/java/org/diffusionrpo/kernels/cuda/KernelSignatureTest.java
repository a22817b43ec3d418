package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cuda.KernelSignature.Kind;
import org.junit.jupiter.api.Test;

class KernelSignatureTest {
  private static final Map<String, KernelSignature> PARSED = KernelSignature.parse("""
      __device__ float helper(float x) { return x; }
      extern "C" __global__ void __launch_bounds__(256) first(const float* __restrict__ x,
          float *y, long long n, const int rows) {}
      extern "C" __global__ void second(unsigned short* x, float s, double d, unsigned int u) {}
      """);

  @Test
  void parametersAreReadFromTheSource() {
    assertEquals(Map.of(
        "first", new KernelSignature("first", List.of(Kind.POINTER, Kind.POINTER, Kind.LONG, Kind.INT)),
        "second", new KernelSignature("second", List.of(Kind.POINTER, Kind.FLOAT, Kind.DOUBLE, Kind.INT))), PARSED);
  }

  @Test
  void aTypeWithoutACounterpartIsRefused() {
    assertEquals("kernel k: parameter 'dim3 size' is none of pointer, int, long long, float and double",
        assertThrows(IllegalArgumentException.class,
            () -> KernelSignature.parse("__global__ void k(float* x, dim3 size) {}")).getMessage());
  }

  @Test
  void wrongArgumentsAreNamed() {
    KernelSignature second = PARSED.get("second");
    assertEquals("kernel second takes 4 arguments, not 1",
        assertThrows(IllegalArgumentException.class, () -> second.pack(1)).getMessage());
    assertEquals("kernel second: argument 1 must be FLOAT, not 1",
        assertThrows(IllegalArgumentException.class, () -> second.pack(null, 1, 2.0, 3)).getMessage());
    assertEquals("kernel second: argument 3 must be INT, not 3",
        assertThrows(IllegalArgumentException.class, () -> second.pack(null, 1f, 2.0, 3L)).getMessage());
  }

  @Test
  void everyKernelOfTheProjectCanBeParsed() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/main/resources/org/diffusionrpo/kernels/cuda"))) {
      assertEquals(files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".cu"))
          .map(name -> name.substring(0, name.length() - 3)).sorted().toList(), KernelSource.FILES);
    }
    for (String file : KernelSource.FILES) {
      String text = KernelSource.of(file).text();
      assertEquals(text.split("__global__\\s+void", -1).length - 1, KernelSignature.parse(text).size(), file);
    }
  }
}
