package org.diffusionrpo.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GemmTileTest {
  /** Enough calls for the JIT to replace the interpreter, then its first compiler, then the second. */
  private static final int CALLS = 12_000;

  static Stream<GemmTile> tiles() {
    return Stream.of(new ScalarGemmTile(), new VectorGemmTile12(), new VectorGemmTile6());
  }

  @ParameterizedTest
  @MethodSource("tiles")
  void tilesMatchTheOracleInBothLayouts(GemmTile tile) {
    Random random = new Random(1);
    for (int k : new int[] {1, 7, GemmTile.KC}) {
      int rows = tile.rows();
      int columns = tile.columns();
      int ldc = columns + 3;
      float[] b = GemmTest.uniform(random, 5 + k * columns);
      float[] lines = GemmTest.uniform(random, 2 + rows * GemmTile.LINE);
      float[] panel = new float[4 + k * rows];
      tile.transposeLines(panel, 4, lines, 2, rows, k);
      float[] before = GemmTest.uniform(random, 1 + rows * ldc);
      float[] c = before.clone();
      float[] same = before.clone();
      tile.multiply(c, 1, ldc, before, 1, ldc, panel, 4, b, 5, k);
      tile.multiplyLines(same, 1, ldc, before, 1, ldc, lines, 2, b, 5, k);
      assertArrayEquals(c, same);
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
          double sum = before[1 + i * ldc + j];
          for (int p = 0; p < k; p++) {
            sum += (double) lines[2 + i * GemmTile.LINE + p] * b[5 + p * columns + j];
          }
          assertEquals(sum, c[1 + i * ldc + j], GemmTest.TOLERANCE * (1 + k));
        }
      }
      assertEquals(before[1 + columns], c[1 + columns], "beyond the tile");
    }
  }

  @ParameterizedTest
  @MethodSource("tiles")
  void copiesStayInsideTheirRows(GemmTile tile) {
    Random random = new Random(2);
    for (int width : new int[] {tile.rows(), tile.columns()}) {
      for (int length = 1; length <= width; length++) {
        for (int count : new int[] {1, 2, 9}) {
          int ld = length + random.nextInt(3);
          float[] from = GemmTest.uniform(random, 1 + (count - 1) * ld + length); // nothing to read behind the last row
          float[] to = GemmTest.uniform(random, 1 + (count + 2) * width); // room to spill into
          float[] expected = to.clone();
          for (int p = 0; p < count; p++) {
            System.arraycopy(from, 1 + p * ld, expected, 1 + p * width, length);
          }
          tile.copyRows(to, 1, width, from, 1, ld, length, count);
          assertArrayEquals(expected, to, "width " + width + " length " + length + " count " + count);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("tiles")
  void bitsDoNotChangeWhileTheCodeIsCompiled(GemmTile tile) {
    int k = 19;
    float[] a = GemmTest.uniform(new Random(3), tile.rows() * GemmTile.LINE);
    float[] b = GemmTest.uniform(new Random(4), k * tile.columns());
    float[] init = new float[tile.columns()];
    float[] first = new float[tile.rows() * tile.columns()];
    tile.multiplyLines(first, 0, tile.columns(), init, 0, 0, a, 0, b, 0, k);
    float[] c = new float[first.length];
    for (int call = 0; call < CALLS; call++) {
      Arrays.fill(c, Float.NaN);
      tile.multiplyLines(c, 0, tile.columns(), init, 0, 0, a, 0, b, 0, k);
      assertArrayEquals(first, c);
    }
  }
}
