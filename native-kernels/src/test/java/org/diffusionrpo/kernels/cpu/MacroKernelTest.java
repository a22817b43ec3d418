package org.diffusionrpo.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The macro-kernel with every tile, whatever this machine would choose. */
class MacroKernelTest {
  @ParameterizedTest
  @MethodSource("org.diffusionrpo.kernels.cpu.GemmTileTest#tiles")
  void everyTileMatchesTheOracleOnOddSizes(GemmTile tile) {
    Random random = new Random(1);
    MacroKernel kernel = new MacroKernel(tile);
    int[][] sizes = {{1, 1, 1}, {13, 31, 33}, {65, 130, 300}, {3, 200, 513}, {200, 3, 513}, {40, 24, 5_000}};
    for (int[] size : sizes) {
      for (int form = 0; form < 8; form++) {
        check(kernel, random, size[0], size[1], size[2], (form & 1) > 0, (form & 2) > 0, (form & 4) > 0);
      }
    }
  }

  private static void check(MacroKernel kernel, Random random, int m, int n, int k, boolean transA, boolean transB,
      boolean accumulate) {
    float[] a = GemmTest.uniform(random, m * k);
    float[] b = GemmTest.uniform(random, k * n);
    float[] bias = GemmTest.uniform(random, n);
    int ldc = n + 2;
    float[] before = GemmTest.uniform(random, 1 + m * ldc);
    float[] c = before.clone();
    Matrix left = transA ? Matrix.transposed(a, 0, m) : Matrix.rowMajor(a, 0, k);
    Matrix right = transB ? Matrix.transposed(b, 0, k) : Matrix.rowMajor(b, 0, n);
    kernel.run(new Product(c, 1, ldc, left.rows(), right.columns(), bias, m, n, k, accumulate));
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = bias[j] + (accumulate ? before[1 + i * ldc + j] : 0);
        for (int p = 0; p < k; p++) {
          sum += (double) a[transA ? p * m + i : i * k + p] * b[transB ? j * k + p : p * n + j];
        }
        assertEquals(sum, c[1 + i * ldc + j], GemmTest.TOLERANCE * (2 + k), m + " x " + n + " x " + k);
      }
      assertEquals(before[1 + i * ldc + n], c[1 + i * ldc + n], "between the rows");
    }
  }
}
