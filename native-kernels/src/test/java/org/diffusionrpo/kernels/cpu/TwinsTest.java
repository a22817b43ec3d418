package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.Oracle.gaussian;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The vector loops against plain Java, both in one JVM. Elementwise results have equal bits, whatever the offset and
 * the length; sums differ in their order alone.
 */
class TwinsTest {
  /** Float sums of up to 1025 values of scale 1, in another order. */
  private static final double SUM_TOLERANCE = 1e-4;
  private static final int XO = 3;
  private static final int YO = 5;

  private final float[] x = range(1);
  private final float[] a = gaussian(2, 2000);
  private final float[] b = gaussian(3, 2000);

  /** Scale 1, with large, tiny and special values among them. */
  private static float[] range(long seed) {
    float[] x = gaussian(seed, 2000);
    for (int i = 0; i < x.length; i += 7) {
      x[i] *= 30;
    }
    float[] special = {0, -0f, 1e-38f, -1e-40f, 88.7f, 88.75f, -87.3f, -88, 1e30f, -1e30f, Float.POSITIVE_INFINITY};
    for (int i = 0; i < special.length; i++) {
      x[20 + 11 * i] = special[i];
    }
    return x;
  }

  private static <T> void assertSameBits(T vector, T plain, BiConsumer<T, float[][]> call) {
    float[][] expected = {gaussian(4, 2000), gaussian(5, 2000), gaussian(6, 2000)};
    float[][] actual = {expected[0].clone(), expected[1].clone(), expected[2].clone()};
    call.accept(plain, expected);
    call.accept(vector, actual);
    for (int i = 0; i < expected.length; i++) {
      assertArrayEquals(expected[i], actual[i]);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 1025})
  void arithmeticHasEqualBits(int n) {
    ArrayMath vector = new VectorArrayMath();
    ArrayMath plain = new ScalarArrayMath();
    assertSameBits(vector, plain, (m, y) -> m.add(y[0], YO, a, XO, b, 0, n));
    assertSameBits(vector, plain, (m, y) -> m.multiply(y[0], YO, a, XO, b, 0, n));
    assertSameBits(vector, plain, (m, y) -> m.scale(y[0], YO, a, XO, 1.7f, n));
    assertSameBits(vector, plain, (m, y) -> m.axpy(y[0], YO, -0.3f, a, XO, n));
    assertSameBits(vector, plain, (m, y) -> m.lerp(y[0], YO, a, XO, 0.3f, n));
    assertSameBits(vector, plain, (m, y) -> m.scaledDifference(y[0], YO, a, XO, b, 0, 0.3f, n));
    assertEquals(plain.sum(a, XO, n), vector.sum(a, XO, n), SUM_TOLERANCE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 1025})
  void activationsHaveEqualBits(int n) {
    ActivationMath vector = new VectorActivationMath();
    ActivationMath plain = new ScalarActivationMath();
    assertSameBits(vector, plain, (m, y) -> m.swish(y[0], YO, x, XO, 1.702f, n));
    assertSameBits(vector, plain, (m, y) -> m.swishBackward(y[0], YO, a, 1, x, XO, 1, n));
    assertSameBits(vector, plain, (m, y) -> m.gelu(y[0], YO, x, XO, n));
    assertSameBits(vector, plain, (m, y) -> m.gatedGelu(y[0], YO, a, 1, x, XO, n));
    assertSameBits(vector, plain, (m, y) -> m.normal(y[0], y[1], YO, x, XO, n));
    assertSameBits(vector, plain, (m, y) -> m.geluBackward(y[0], YO, a, 1, x, XO, b, a, 2, n));
    assertSameBits(vector, plain, (m, y) -> m.gatedGeluBackward(y[0], YO, y[1], 0, a, 1, b, 2, x, XO, b, a, 2, n));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 200})
  void winogradTransformsHaveEqualBits(int n) {
    WinogradMath vector = new VectorWinogradMath();
    WinogradMath plain = new ScalarWinogradMath();
    assertSameBits(vector, plain, (m, y) -> m.input(y[0], YO, 210, a, XO, 220, n));
    assertSameBits(vector, plain, (m, y) -> m.output(y[0], YO, 210, a, XO, 220, n));
    assertSameBits(vector, plain, (m, y) -> m.filter(y[0], YO, 210, a, XO, 220, n));
    assertSameBits(vector, plain, (m, y) -> m.outputGradient(y[0], YO, 210, a, XO, 220, n));
    assertSameBits(vector, plain, (m, y) -> m.filterGradient(y[0], YO, 210, a, XO, 220, n));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 1025})
  void optimizersHaveEqualBits(int n) {
    OptimizerMath vector = new VectorOptimizerMath();
    OptimizerMath plain = new ScalarOptimizerMath();
    AdamW.Coefficients c = new AdamW.Coefficients(0.1f, 0.999f, 0.001f, 1e-4f, 1e-2f, 30, 1e-8f);
    assertSameBits(vector, plain, (m, y) -> m.adamW(y[0], a, y[1], positive(y[2]), YO, n, c));
    assertSameBits(vector, plain, (m, y) -> m.addSquares(y[0], YO, a, XO, n));
    assertSameBits(vector, plain, (m, y) -> m.factoredUpdate(y[0], YO, a, XO, b, 0, 1e-4f, 0.1f, n));
    double expected = plain.sumOfSquaredProducts(a, XO, b, 1, n);
    assertEquals(expected, vector.sumOfSquaredProducts(a, XO, b, 1, n), 1e-6 * expected);
  }

  private static float[] positive(float[] v) {
    for (int i = 0; i < v.length; i++) {
      v[i] = Math.abs(v[i]);
    }
    return v;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 180})
  void normalisationsHaveEqualBitsAndCloseSums(int n) {
    NormMath vector = new VectorNormMath();
    NormMath plain = new ScalarNormMath();
    int stride = 190;
    assertSameBits(vector, plain, (m, y) -> m.normalizeRow(y[0], YO, a, XO, 0.1f, 1.3f, b, a, 2, n));
    assertSameBits(vector, plain, (m, y) -> m.rowGradient(y[0], YO, a, XO, b, 1, 0.1f, 1.3f, 0.2f, 0.3f, b, 2, n));
    assertSameBits(vector, plain, (m, y) -> m.addParameterGradients(y[0], y[1], 2, a, XO, b, 1, 0.1f, 1.3f, n));
    assertSameBits(vector, plain, (m, y) -> m.normalizeColumns(y[0], a, XO, b, a, b, 4, 7, stride, n));
    assertSameBits(vector, plain, (m, y) -> m.normalizeColumnsSilu(y[0], x, XO, b, a, b, 4, 7, stride, n));
    assertSameBits(vector, plain, (m, y) -> m.columnSiluGradient(y[0], a, x, XO, b, a, b, 4, 7, stride, n));
    assertSameBits(vector, plain, (m, y) -> m.columnGradient(y[0], a, b, XO, b, a, b, a, 4, 7, stride, n));
    for (int rows : new int[] {1, 2, 7, 8}) {
      assertCloseColumns(vector, plain, (m, y) -> m.columnDeviations(y[0], y[1], b, 4, a, XO, rows, stride, n));
      assertCloseColumns(vector, plain,
          (m, y) -> m.columnGradientSums(y[0], y[1], b, 4, b, a, XO, rows, stride, n));
      assertCloseColumns(new VectorArrayMath(), new ScalarArrayMath(),
          (m, y) -> m.columnSums(y[0], 4, a, XO, rows, stride, n));
    }
    double[] expected = {1, 2};
    double[] actual = {1, 2};
    plain.addDeviations(expected, a, XO, 0.3f, n);
    vector.addDeviations(actual, a, XO, 0.3f, n);
    assertArrayEquals(expected, actual, SUM_TOLERANCE);
    plain.addRowGradientSums(expected, a, XO, b, 1, 0.3f, b, 2, n);
    vector.addRowGradientSums(actual, a, XO, b, 1, 0.3f, b, 2, n);
    assertArrayEquals(expected, actual, SUM_TOLERANCE);
  }

  private static <T> void assertCloseColumns(T vector, T plain, BiConsumer<T, float[][]> call) {
    float[][] expected = {new float[300], new float[300]};
    float[][] actual = {new float[300], new float[300]};
    call.accept(plain, expected);
    call.accept(vector, actual);
    assertArrayEquals(expected[0], actual[0], 1e-5f);
    assertArrayEquals(expected[1], actual[1], 1e-5f);
  }

  @Test
  void attentionHasEqualBits() {
    AttentionMath vector = new VectorAttentionMath();
    AttentionMath plain = new ScalarAttentionMath();
    int columns = 2 * new VectorArrayMath().lanes();
    for (int rows : new int[] {1, 2, 5, 12, 31}) {
      assertSameBits(vector, plain, (m, y) -> {
        y[0][columns - 1] = Float.NEGATIVE_INFINITY;
        y[0][0] = 1000;
        float[] rescale = new float[columns + 3];
        m.raiseMaximum(y[0], rows, columns, y[1], rescale, 3);
        m.softmaxStep(y[0], rows, columns, y[1], y[2], rescale, 3);
      });
      assertSameBits(vector, plain, (m, y) -> m.scaleColumns(y[0], YO, rows, columns, a, 2));
      assertSameBits(vector, plain, (m, y) -> m.gradient(y[0], y[1], rows, columns, a, b, 3));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 31, 97})
  void attentionTilesHaveEqualBits(int k) {
    AttentionTile plain = new ScalarAttentionTile(2 * new VectorArrayMath().lanes());
    int columns = plain.columns();
    float[] left = gaussian(7, 8 * (k + columns) + 10);
    float[] right = gaussian(8, k * (columns + 3) + 10);
    for (AttentionTile vector : new AttentionTile[] {new VectorAttentionTile8(), new VectorAttentionTile4()}) {
      int used = vector.rows() * columns;
      for (boolean add : new boolean[] {false, true}) {
        assertSameBits(vector, plain, (m, y) -> {
          m.multiply(y[0], YO, add, left, 2, 8, right, 1, k);
          Arrays.fill(y[0], YO + used, y[0].length, 0);
          m.multiplyHalf(y[1], YO, add, left, 2, 8, right, 1, k);
          Arrays.fill(y[1], YO + used, y[1].length, 0);
        });
      }
      int inner = Math.min(k, columns);
      assertSameBits(vector, plain, (m, y) -> {
        m.addLines(y[0], YO, columns + 3, left, 2, right, 1, columns + 2, inner);
        m.addHalfLines(y[1], YO, columns + 3, left, 2, right, 1, columns + 2, inner);
        Arrays.fill(y[0], YO + vector.rows() * (columns + 3), y[0].length, 0);
        Arrays.fill(y[1], YO + vector.rows() * (columns + 3), y[1].length, 0);
      });
    }
  }
}
