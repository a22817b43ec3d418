package org.diffusionrpo.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.diffusionrpo.kernels.cuda.NeedsGpu;
import org.diffusionrpo.kernels.cuda.TestGpu;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.TestDevice;
import org.diffusionrpo.tensor.Tolerances;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.cuda.CudaBackend;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every output and every gradient of whole networks is on the GPU what it is on the CPU, and the same at every run. */
@NeedsGpu
class NetworksOnGpuTest {
  /**
   * ||gpu - cpu|| / ||cpu|| of a tensor. Both sum the same fp32 products in other orders, which through some forty
   * layers moves outputs by 1e-6 and gradients by up to 1e-5; a wrong or missing term moves some tensor by far more.
   */
  private static final double TOLERANCE = 1e-4;

  @ParameterizedTest
  @MethodSource("passes")
  void equalsTheCpuAndIsBitEqualOnRepetition(NetworkPass pass) throws IOException {
    Map<String, float[]> expected;
    try (Backend cpu = new CpuBackend()) {
      expected = pass.run(cpu);
    }
    Map<String, float[]> first;
    try (Backend checked = TestDevice.GPU.open()) {
      first = pass.run(checked);
      assertEquals(0, checked.memory().liveBytes());
    }
    assertClose(expected, first);
    try (Backend pooled = TestGpu.with(() -> new CudaBackend(TestGpu.options().withPoison(false)))) {
      pass.run(pooled);
      Map<String, float[]> again = pass.run(pooled); // in memory that the run before has used
      first.forEach((name, values) -> assertArrayEquals(values, again.get(name), name));
    }
  }

  private static void assertClose(Map<String, float[]> expected, Map<String, float[]> actual) {
    assertEquals(expected.keySet(), actual.keySet());
    Map<String, Double> wrong = new TreeMap<>();
    expected.forEach((name, values) -> {
      double error = Tolerances.goldenError(Tolerances.widen(actual.get(name)), Tolerances.widen(values));
      if (!(error <= TOLERANCE)) {
        wrong.put(name, error);
      }
    });
    assertTrue(wrong.isEmpty(), wrong::toString);
  }

  static Stream<Named<NetworkPass>> passes() {
    Stream<Named<NetworkPass>> unets = Stream.of(NetworkPass.Variant.values())
        .map(variant -> Named.of("UNet of SD 1.5, " + variant, NetworkPass.unet(false, variant)));
    return Stream.concat(unets, Stream.of(
        Named.of("UNet of SDXL", NetworkPass.unet(true, NetworkPass.Variant.PLAIN)),
        Named.of("UNet of SDXL, adapted", NetworkPass.unet(true, NetworkPass.Variant.ADAPTED_BF16)),
        Named.of("VAE", NetworkPass.vae()),
        Named.of("CLIP with quick GELU", NetworkPass.clip(Activation.QUICK_GELU)),
        Named.of("CLIP with GELU", NetworkPass.clip(Activation.GELU))));
  }
}
