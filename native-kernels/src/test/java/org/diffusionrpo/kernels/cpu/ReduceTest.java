package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.Oracle.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReduceTest {
  /** Squares and sums in double. */
  private static final double TOLERANCE = 1e-12;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 1025, 200_003})
  void sumOfSquaresMatchesAPlainLoop(int n) {
    float[] x = gaussian(1, n);
    double expected = dot(toDouble(x), toDouble(x));
    assertEquals(expected, Reduce.sumOfSquares(x, n), TOLERANCE * expected);
  }

  @Test
  void squaresBeyondTheFloatRangeAreCounted() {
    assertEquals(2e60, Reduce.sumOfSquares(new float[] {1e30f, 1e30f}, 2), 1e54);
    assertEquals(1e-60, Reduce.sumOfSquares(new float[] {1e-30f}, 1), 1e-66);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 1025, 70_001})
  void squaredErrorAndItsGradientMatch(int columns) {
    int samples = 3;
    float[] a = gaussian(1, samples * columns);
    float[] b = gaussian(2, samples * columns);
    float[] weight = {0.5f, -2, 3e-4f};
    double[] out = new double[samples];
    float[] da = new float[a.length];
    Reduce.squaredErrorPerSample(out, a, b, samples, columns);
    Reduce.squaredErrorBackward(da, a, b, weight, samples, columns);
    double[] expected = new double[samples];
    double[] gradient = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      double difference = (double) a[i] - b[i];
      expected[i / columns] += difference * difference / columns;
      gradient[i] = weight[i / columns] * 2 * difference / columns;
    }
    assertClose("out", expected, out, TOLERANCE);
    assertClose("da", gradient, da, 2e-7);
  }

  @Test
  void resultsNeverChangeBits() {
    float[] x = gaussian(1, 2 * 70_001);
    float[] y = gaussian(2, x.length);
    assertReproducible(() -> {
      double[] out = new double[2];
      Reduce.squaredErrorPerSample(out, x, y, 2, 70_001);
      long bits = Double.doubleToLongBits(out[0] + out[1] + Reduce.sumOfSquares(x, x.length));
      return new float[] {bits >>> 40, bits >>> 20 & 0xfffff, bits & 0xfffff};
    });
  }
}
