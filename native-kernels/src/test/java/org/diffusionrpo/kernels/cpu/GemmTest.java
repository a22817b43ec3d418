package org.diffusionrpo.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class GemmTest {
  /**
   * Largest error allowed, relative to the sum of absolute products: fp32 sums of blocks of KC terms lose at most
   * KC * 2^-24 = 2e-5 of it, and on random operands far less.
   */
  static final double TOLERANCE = 2e-6;

  private static final int[] SIZES = {1, 3, 13, 31, 33, 65, 130};

  @Test
  void everySizeAndTransposeMatchesTheOracle() {
    Random random = new Random(1);
    for (int m : SIZES) {
      for (int n : SIZES) {
        for (int k : new int[] {1, 5, 33, 130, 257, 700}) {
          boolean transA = random.nextBoolean();
          boolean transB = random.nextBoolean();
          check(random, m, n, k, transA, transB, random.nextInt(8), random.nextInt(4), random.nextBoolean(),
              random.nextBoolean());
        }
      }
    }
    for (int choice = 0; choice < 16; choice++) {
      check(random, 65, 47, 300, (choice & 1) > 0, (choice & 2) > 0, 7, 5, (choice & 4) > 0, (choice & 8) > 0);
    }
  }

  @Test
  void longInnerDimensionsAndWideResultsMatchTheOracle() {
    Random random = new Random(2);
    check(random, 64, 64, 12_288, true, false, 0, 0, true, false);
    check(random, 7, 5, 20_001, false, true, 3, 1, false, true);
    check(random, 2, 9_001, 600, false, true, 3, 1, true, true);
    check(random, 2_003, 40, 70, false, false, 3, 1, false, true);
    check(random, 64, 400, 3_000, false, true, 0, 0, false, true);
  }

  @Test
  void anEmptyInnerDimensionGivesTheBias() {
    float[] c = {1, 1, 1, 1};
    Matrix nothing = Matrix.rowMajor(new float[0], 0, 2);
    Gemm.multiply(c, nothing, nothing, new float[] {5, 6}, 2, 2, 0, false);
    assertArrayEquals(new float[] {5, 6, 5, 6}, c);
  }

  @Test
  void halfPrecisionWeightsGiveTheBitsOfTheirFloats() {
    Random random = new Random(4);
    int m = 29;
    int n = 70;
    int k = 310;
    float[] x = uniform(random, m * k);
    for (boolean brain : new boolean[] {false, true}) {
      short[] halves = new short[n * k];
      float[] floats = new float[n * k];
      for (int i = 0; i < halves.length; i++) {
        float value = random.nextFloat() - 0.5f;
        halves[i] = brain ? HalfFloats.toBf16(value) : HalfFloats.toFp16(value);
        floats[i] = brain ? HalfFloats.fromBf16(halves[i]) : HalfFloats.fromFp16(halves[i]);
      }
      Weights half = brain ? Weights.bf16(halves) : Weights.fp16(halves);
      for (boolean transposed : new boolean[] {false, true}) {
        float[] expected = new float[m * n];
        float[] c = new float[m * n];
        Weights exact = Weights.of(floats);
        Gemm.multiply(expected, Matrix.rowMajor(x, 0, k),
            transposed ? Matrix.transposed(exact, 0, k) : Matrix.rowMajor(exact, 0, n), null, m, n, k, false);
        Gemm.multiply(c, Matrix.rowMajor(x, 0, k),
            transposed ? Matrix.transposed(half, 0, k) : Matrix.rowMajor(half, 0, n), null, m, n, k, false);
        assertArrayEquals(expected, c);
      }
    }
  }

  @Test
  void operandsThatDoNotFitAreNamed() {
    float[] c = new float[6];
    Matrix a = Matrix.rowMajor(new float[8], 0, 4);
    Matrix b = Matrix.rowMajor(new float[12], 0, 3);
    Gemm.multiply(c, a, b, null, 2, 3, 4, false);
    assertNames("a [3, 4]", () -> Gemm.multiply(new float[9], a, b, null, 3, 3, 4, false));
    assertNames("b [4, 3] transposed needs a leading dimension of 4",
        () -> Gemm.multiply(c, a, Matrix.transposed(new float[12], 0, 3), null, 2, 3, 4, false));
    assertNames("c needs 6", () -> Gemm.multiply(new float[5], a, b, null, 2, 3, 4, false));
    assertNames("bias has 2", () -> Gemm.multiply(c, a, b, new float[2], 2, 3, 4, false));
    assertNames("negative size", () -> Gemm.multiply(c, a, b, null, 2, -3, 4, false));
  }

  private static void assertNames(String fault, Runnable call) {
    String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
    assertTrue(message.contains(fault), message);
  }

  private static void check(Random random, int m, int n, int k, boolean transA, boolean transB, int offset, int gap,
      boolean accumulate, boolean withBias) {
    int lda = (transA ? m : k) + gap;
    int ldb = (transB ? k : n) + gap;
    float[] a = uniform(random, offset + (transA ? k : m) * lda);
    float[] b = uniform(random, offset + (transB ? n : k) * ldb);
    float[] bias = withBias ? uniform(random, n) : null;
    float[] before = uniform(random, m * n);
    float[] c = before.clone();
    Gemm.multiply(c, transA ? Matrix.transposed(a, offset, lda) : Matrix.rowMajor(a, offset, lda),
        transB ? Matrix.transposed(b, offset, ldb) : Matrix.rowMajor(b, offset, ldb), bias, m, n, k, accumulate);
    double worst = 0;
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = (accumulate ? before[i * n + j] : 0) + (withBias ? bias[j] : 0);
        double size = 1;
        for (int p = 0; p < k; p++) {
          double product = (double) a[offset + (transA ? p * lda + i : i * lda + p)]
              * b[offset + (transB ? j * ldb + p : p * ldb + j)];
          sum += product;
          size += Math.abs(product);
        }
        worst = Math.max(worst, Math.abs(c[i * n + j] - sum) / size);
      }
    }
    assertEquals(0, worst, TOLERANCE, m + " x " + n + " x " + k + " transA " + transA + " transB " + transB
        + " accumulate " + accumulate + " bias " + withBias);
  }

  static float[] uniform(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    return values;
  }
}
