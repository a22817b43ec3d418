package org.diffusionrpo.kernels.cpu;

/**
 * The innermost loops of every matrix product: one register tile of C from one packed panel of A and one of B, and the
 * moves that fill panels.
 * <pre>
 *   a [k][rows]        panel of A, one column of the tile after the other; or
 *   a [rows][LINE]     lines of A, each contiguous along the inner dimension
 *   b [k][columns]     panel of B
 *   c [rows, columns]  row-major with leading dimension ldc
 * </pre>
 * Written twice, with vectors ({@link VectorPacking} and its subclasses) and in plain Java ({@link ScalarGemmTile}).
 */
interface GemmTile {
  /** Longest inner dimension of a tile: 40 KiB of B stay in the first-level cache; Stable Diffusion counts in 320s. */
  int KC = 320;

  /** Distance of two lines of A: an odd number of cache lines, so that those of a tile fall into different sets. */
  int LINE = KC + 16;

  /** Rows of the tile (MR). */
  int rows();

  /** Columns of the tile (NR), a multiple of the vector length. */
  int columns();

  /**
   * {@code c = init + sum_p a[p][i] * b[p][j]}; the sum runs in order of p, starting at zero. {@code init} is a tile
   * like c; it may be c itself, or with ldInit = 0 one row for all.
   */
  void multiply(float[] c, int cOffset, int ldc, float[] init, int initOffset, int ldInit, float[] a, int aOffset,
      float[] b, int bOffset, int k);

  /** As {@link #multiply} with A as lines, {@code a[i][p]}; the same bits. */
  void multiplyLines(float[] c, int cOffset, int ldc, float[] init, int initOffset, int ldInit, float[] a, int aOffset,
      float[] b, int bOffset, int k);

  /** {@code to[at + p * width + i] = from[start + p * ld + i]} for i in [0, length), p in [0, count). */
  void copyRows(float[] to, int at, int width, float[] from, int start, int ld, int length, int count);

  /** {@code to[at + p * width + i] = from[start + i * LINE + p]} for i in [0, width), p in [0, count). */
  void transposeLines(float[] to, int at, float[] from, int start, int width, int count);
}
