package org.diffusionrpo.kernels.cpu;

/** Plain Java. Any tile has the bits of the vector tiles: the order of a sum is that of its inner dimension. */
final class ScalarAttentionTile implements AttentionTile {
  private static final int ROWS = 8;
  private final int columns;

  ScalarAttentionTile() {
    this(4);
  }

  /** Tests compare with vectors of any length. */
  ScalarAttentionTile(int columns) {
    this.columns = columns;
  }

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int columns() {
    return columns;
  }

  @Override
  public void multiply(float[] c, int co, boolean add, float[] a, int ao, int step, float[] b, int bo, int k) {
    multiply(c, co, add, a, ao, step, b, bo, k, columns);
  }

  @Override
  public void multiplyHalf(float[] c, int co, boolean add, float[] a, int ao, int step, float[] b, int bo, int k) {
    multiply(c, co, add, a, ao, step, b, bo, k, columns / 2);
  }

  private void multiply(float[] c, int co, boolean add, float[] a, int ao, int step, float[] b, int bo, int k, int n) {
    for (int i = 0; i < ROWS; i++) {
      for (int j = 0; j < n; j++) {
        float sum = 0;
        for (int p = 0; p < k; p++) {
          sum = Math.fma(a[ao + p * step + i], b[bo + p * columns + j], sum);
        }
        int at = co + i * columns + j;
        c[at] = add ? sum + c[at] : sum;
      }
    }
  }

  @Override
  public void addLines(float[] c, int co, int ldc, float[] a, int ao, float[] b, int bo, int ldb, int k) {
    addLines(c, co, ldc, a, ao, b, bo, ldb, k, columns);
  }

  @Override
  public void addHalfLines(float[] c, int co, int ldc, float[] a, int ao, float[] b, int bo, int ldb, int k) {
    addLines(c, co, ldc, a, ao, b, bo, ldb, k, columns / 2);
  }

  private void addLines(float[] c, int co, int ldc, float[] a, int ao, float[] b, int bo, int ldb, int k, int n) {
    for (int i = 0; i < ROWS; i++) {
      for (int j = 0; j < n; j++) {
        float sum = 0;
        for (int p = 0; p < k; p++) {
          sum = Math.fma(a[ao + i * columns + p], b[bo + p * ldb + j], sum);
        }
        c[co + i * ldc + j] += sum;
      }
    }
  }
}
