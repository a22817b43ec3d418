package org.diffusionrpo.kernels.cpu;

/**
 * The products of attention, whose inner dimension is short (features of a head, or tokens of a tile): one register
 * tile of C, with the left operand where it lies or in panels. Each sum runs in order of p from zero, then joins C.
 * Written with vectors and in plain Java, with equal bits.
 */
interface AttentionTile {
  /** Rows of the tile (MR). */
  int rows();

  /** Columns of the tile (NR), two vectors; also the leading dimension of panels and of tiles of scores. */
  int columns();

  /** {@code c[i * NR + j] (=|+=) sum_p a[p * step + i] * b[p * NR + j]}. */
  void multiply(float[] c, int co, boolean add, float[] a, int ao, int step, float[] b, int bo, int k);

  /** As {@link #multiply}, for the first half of the columns. */
  void multiplyHalf(float[] c, int co, boolean add, float[] a, int ao, int step, float[] b, int bo, int k);

  /** {@code c[i * ldc + j] += sum_p a[i * NR + p] * b[p * ldb + j]}. */
  void addLines(float[] c, int co, int ldc, float[] a, int ao, float[] b, int bo, int ldb, int k);

  /** As {@link #addLines}, for the first half of the columns. */
  void addHalfLines(float[] c, int co, int ldc, float[] a, int ao, float[] b, int bo, int ldb, int k);
}
