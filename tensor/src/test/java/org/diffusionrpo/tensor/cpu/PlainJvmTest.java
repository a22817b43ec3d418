package org.diffusionrpo.tensor.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.diffusionrpo.kernels.cpu.Simd;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.ChildJvm;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** The library in a virtual machine without the incubator module: it computes the same, and says once what is missing. */
class PlainJvmTest {
  /** Vectors and plain loops add in another order; the sums here have up to 45 terms. */
  private static final double TOLERANCE = 1e-5;

  @Test
  void withoutTheVectorModuleTheResultsAreTheSameAndTheFlagIsNamedOnce() throws Exception {
    assertTrue(Simd.isVectorized(), "the tests themselves run with vectors");
    String[] lines = ChildJvm.runPlain(Compute.class).split("\\R");
    long warnings = Arrays.stream(lines).filter(line -> line.contains("--add-modules jdk.incubator.vector")).count();
    assertEquals(1, warnings, () -> String.join("\n", lines));
    assertTrue(Arrays.stream(lines).anyMatch(line -> line.startsWith("scalar, ")), () -> String.join("\n", lines));
    float[] vector = Compute.results();
    String last = lines[lines.length - 1];
    String[] scalar = last.substring(1, last.length() - 1).split(", ");
    assertEquals(vector.length, scalar.length);
    for (int i = 0; i < vector.length; i++) {
      assertEquals(vector[i], Float.parseFloat(scalar[i]), TOLERANCE);
    }
  }

  /** A convolution, a group norm and an attention. */
  static final class Compute {
    private Compute() {}

    public static void main(String[] args) {
      System.out.println(Simd.description());
      System.out.println(Arrays.toString(results()));
    }

    static float[] results() {
      try (Backend backend = new CpuBackend(); MemoryScope scope = backend.scope()) {
        Tensor x = backend.of(Shape.of(1, 4, 3, 5), GoldenFill.sequence(0, 60));
        Tensor weight = backend.of(Shape.of(6, 3, 3, 5), GoldenFill.sequence(100, 270));
        Tensor y = backend.empty(Shape.of(1, 4, 3, 6));
        backend.conv2dForward(y, x, weight, null, Conv2dGeometry.of(1, 1));
        Tensor stats = backend.empty(Shape.of(1, 2));
        Tensor ones = backend.empty(Shape.of(6));
        backend.fill(ones, 1f);
        Tensor normed = backend.empty(y.shape());
        backend.groupNormForward(normed, stats, backend.empty(stats.shape()), y, ones, ones, 2, 1e-5f);
        Tensor tokens = normed.reshape(1, 12, 6);
        Tensor out = backend.empty(tokens.shape());
        backend.attentionForward(out, backend.empty(Shape.of(1, 2, 12)), tokens, tokens, tokens, 2, true);
        return out.toArray();
      }
    }
  }
}
