package org.diffusionrpo.kernels.cpu;

/** Plain Java register tile of 4 x 4: 16 sums in local variables, as many as x86 has scalar float registers. */
final class ScalarGemmTile implements GemmTile {
  private static final int SIZE = 4;

  @Override
  public int rows() {
    return SIZE;
  }

  @Override
  public int columns() {
    return SIZE;
  }

  @Override
  public void multiply(float[] c, int cOffset, int ldc, float[] init, int initOffset, int ldInit, float[] a,
      int aOffset, float[] b, int bOffset, int k) {
    strided(c, cOffset, ldc, init, initOffset, ldInit, a, aOffset, 1, SIZE, b, bOffset, k);
  }

  @Override
  public void multiplyLines(float[] c, int cOffset, int ldc, float[] init, int initOffset, int ldInit, float[] a,
      int aOffset, float[] b, int bOffset, int k) {
    strided(c, cOffset, ldc, init, initOffset, ldInit, a, aOffset, LINE, 1, b, bOffset, k);
  }

  /** Two rows at a time: their 8 sums, 4 elements of b and 2 of a fit into registers. */
  private static void strided(float[] c, int cOffset, int ldc, float[] init, int initOffset, int ldInit, float[] a,
      int aOffset, int rowStep, int innerStep, float[] b, int bOffset, int k) {
    for (int i = 0; i < SIZE; i += 2) {
      float s00 = 0, s01 = 0, s02 = 0, s03 = 0;
      float s10 = 0, s11 = 0, s12 = 0, s13 = 0;
      int ao = aOffset + i * rowStep;
      int bo = bOffset;
      for (int p = 0; p < k; p++, ao += innerStep, bo += SIZE) {
        float a0 = a[ao], a1 = a[ao + rowStep];
        float b0 = b[bo], b1 = b[bo + 1], b2 = b[bo + 2], b3 = b[bo + 3];
        s00 += a0 * b0;
        s01 += a0 * b1;
        s02 += a0 * b2;
        s03 += a0 * b3;
        s10 += a1 * b0;
        s11 += a1 * b1;
        s12 += a1 * b2;
        s13 += a1 * b3;
      }
      store(c, cOffset + i * ldc, init, initOffset + i * ldInit, s00, s01, s02, s03);
      store(c, cOffset + (i + 1) * ldc, init, initOffset + (i + 1) * ldInit, s10, s11, s12, s13);
    }
  }

  private static void store(float[] c, int to, float[] init, int from, float s0, float s1, float s2, float s3) {
    c[to] = init[from] + s0;
    c[to + 1] = init[from + 1] + s1;
    c[to + 2] = init[from + 2] + s2;
    c[to + 3] = init[from + 3] + s3;
  }

  @Override
  public void copyRows(float[] to, int at, int width, float[] from, int start, int ld, int length, int count) {
    for (int p = 0; p < count; p++) {
      for (int i = 0; i < length; i++) {
        to[at + p * width + i] = from[start + p * ld + i];
      }
    }
  }

  @Override
  public void transposeLines(float[] to, int at, float[] from, int start, int width, int count) {
    transpose(to, at, from, start, width, count);
  }

  /** Two lines at a time; all widths of tiles are even. */
  static void transpose(float[] to, int at, float[] from, int start, int width, int count) {
    for (int i = 0; i < width; i += 2) {
      int source = start + i * LINE;
      int target = at + i;
      for (int p = 0; p < count; p++, source++, target += width) {
        to[target] = from[source];
        to[target + 1] = from[source + LINE];
      }
    }
  }
}
