package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.Oracle.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ActivationsTest {
  /** Relative: a division and an exponential, each good to 1 or 2 units of 6e-8, and a few roundings. */
  private static final double TOLERANCE = 1e-6;
  /** The exponent 1.702 x is rounded, an error in proportion to x: 1.702 times twice 6e-8. */
  private static final double ARGUMENT_ROUNDING = 2e-7;
  /** Below it results turn into 0. */
  private static final double VANISHED = 1e-35;
  /** Gradients cross 0, where no relative accuracy is possible; 1 - s is off by 6e-8, and multiplied with x. */
  private static final double ABSOLUTE = 1e-6;
  /** Central differences in double with step 1e-5. */
  private static final double DIFFERENCES = 1e-8;

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double silu(double x) {
    return x * sigmoid(x);
  }

  private static double quickGelu(double x) {
    return x * sigmoid(1.702 * x);
  }

  private static double gelu(double x) {
    return x * NormalOracle.cumulative(x);
  }

  private static double siluSlope(double x) {
    return sigmoid(x) * (1 + x * sigmoid(-x));
  }

  private static double quickGeluSlope(double x) {
    return sigmoid(1.702 * x) * (1 + 1.702 * x * sigmoid(-1.702 * x));
  }

  private static double geluSlope(double x) {
    return NormalOracle.cumulative(x) + x * NormalOracle.density(x);
  }

  /** From -100 to 100, dense around 0, tiny and huge values at the ends. */
  private static float[] range() {
    float[] x = new float[40_007];
    for (int i = 0; i < x.length; i++) {
      double t = (i - 20_000) / 20_000.0;
      x[i] = (float) (i % 2 == 0 ? 100 * t : 10 * t * t * t);
    }
    x[0] = -1e30f;
    x[1] = 1e30f;
    x[2] = -0f;
    x[3] = 1e-30f;
    return x;
  }

  @Test
  void valuesMatchOverTheWholeRange() {
    float[] x = range();
    float[] y = new float[x.length];
    Activations.siluForward(y, x, x.length);
    assertRelative("silu", ActivationsTest::silu, x, y, 0);
    Activations.quickGeluForward(y, x, x.length);
    assertRelative("quickGelu", ActivationsTest::quickGelu, x, y, ARGUMENT_ROUNDING);
    Activations.geluForward(y, x, x.length);
    assertRelative("gelu", ActivationsTest::gelu, x, y, 0);
  }

  private static void assertRelative(String what, DoubleUnaryOperator f, float[] x, float[] y,
      double perUnit) {
    for (int i = 0; i < x.length; i++) {
      double expected = f.applyAsDouble(x[i]);
      double tolerance = TOLERANCE + perUnit * Math.abs(x[i]);
      assertEquals(expected, y[i], tolerance * Math.abs(expected) + VANISHED, what + "(" + x[i] + ")");
    }
  }

  @Test
  void gradientsMatchOverTheWholeRange() {
    float[] x = range();
    float[] dy = new float[x.length];
    Arrays.fill(dy, 1);
    float[] dx = new float[x.length];
    Activations.siluBackward(dx, dy, x, x.length);
    assertAbsolute("silu'", ActivationsTest::siluSlope, x, dx);
    Activations.quickGeluBackward(dx, dy, x, x.length);
    assertAbsolute("quickGelu'", ActivationsTest::quickGeluSlope, x, dx);
    Activations.geluBackward(dx, dy, x, x.length);
    assertAbsolute("gelu'", ActivationsTest::geluSlope, x, dx);
  }

  private static void assertAbsolute(String what, DoubleUnaryOperator f, float[] x, float[] dx) {
    for (int i = 0; i < x.length; i++) {
      assertEquals(f.applyAsDouble(x[i]), dx[i], ABSOLUTE, what + "(" + x[i] + ")");
    }
  }

  @Test
  void slopesMatchFiniteDifferences() {
    for (double x : new double[] {-6, -2.5, -1, -0.1, 0, 0.3, 1.7, 4}) {
      assertEquals(difference(ActivationsTest::silu, x), siluSlope(x), DIFFERENCES);
      assertEquals(difference(ActivationsTest::quickGelu, x), quickGeluSlope(x), DIFFERENCES);
      assertEquals(difference(ActivationsTest::gelu, x), geluSlope(x), DIFFERENCES);
    }
  }

  private static double difference(DoubleUnaryOperator f, double x) {
    return (f.applyAsDouble(x + 1e-5) - f.applyAsDouble(x - 1e-5)) / 2e-5;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 1025})
  void gegluMatchesItsHalves(int columns) {
    int rows = 5;
    float[] x = gaussian(1, rows * 2 * columns);
    float[] dy = gaussian(2, rows * columns);
    float[] y = new float[rows * columns];
    float[] dx = new float[x.length];
    Activations.gegluForward(y, x, rows, columns);
    Activations.gegluBackward(dx, dy, x, rows, columns);
    double[] expected = new double[y.length];
    double[] gradient = new double[x.length];
    for (int i = 0; i < y.length; i++) {
      int a = i / columns * 2 * columns + i % columns;
      expected[i] = x[a] * gelu(x[a + columns]);
      gradient[a] = dy[i] * gelu(x[a + columns]);
      gradient[a + columns] = dy[i] * x[a] * geluSlope(x[a + columns]);
    }
    assertClose("y", expected, y, TOLERANCE);
    assertClose("dx", gradient, dx, TOLERANCE);
  }

  @Test
  void outputsMayAliasInputs() {
    float[] x = gaussian(1, 1000);
    float[] dy = gaussian(2, 1000);
    float[] y = new float[1000];
    Activations.geluForward(y, x, 1000);
    float[] inPlace = x.clone();
    Activations.geluForward(inPlace, inPlace, 1000);
    assertArrayEquals(y, inPlace);
    Activations.siluBackward(y, dy, x, 1000);
    Activations.siluBackward(dy, dy, x, 1000);
    assertArrayEquals(y, dy);
  }

  @Test
  void notANumberStaysVisible() {
    float[] x = new float[40];
    Arrays.fill(x, Float.NaN);
    float[] y = new float[40];
    Activations.siluForward(y, x, 40);
    assertTrue(Float.isNaN(y[0]) && Float.isNaN(y[39]));
    Activations.geluForward(y, x, 40);
    assertTrue(Float.isNaN(y[0]) && Float.isNaN(y[39]));
  }

  @Test
  void resultsNeverChangeBits() {
    float[] x = gaussian(1, 2 * 20_001);
    assertReproducible(() -> {
      float[] y = new float[x.length];
      Activations.gegluForward(y, x, 3, 6667);
      Activations.gegluBackward(y, y.clone(), x, 3, 6667);
      Activations.siluForward(y, y, y.length);
      Activations.siluBackward(y, y, x, y.length);
      return y;
    });
  }
}
