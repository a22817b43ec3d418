package org.diffusionrpo.kernels.cpu;

/**
 * The innermost loop of every matrix product: one register tile of C from one packed panel of A and one of B.
 * <pre>
 *   a [k][rows]       panel of A, one column of the tile after the other
 *   b [k][columns]    panel of B
 *   c [rows, columns] row-major with leading dimension ldc
 * </pre>
 * Written twice, with vectors ({@code VectorGemmTile}) and in plain Java ({@link ScalarGemmTile}).
 */
interface GemmTile {
  /** Rows of the tile (MR). */
  int rows();

  /** Columns of the tile (NR), a multiple of the vector length. */
  int columns();

  /** {@code c = sum_p a[p][i] * b[p][j]}, or {@code c += ...} when {@code accumulate}; the sum runs in order of p. */
  void multiply(float[] c, int cOffset, int ldc, float[] a, int aOffset, float[] b, int bOffset, int k,
      boolean accumulate);
}
