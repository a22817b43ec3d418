package org.diffusionrpo.kernels.cpu;

/** Plain Java register tile of 4 x 8, small enough for the JIT to keep its sums in registers. */
final class ScalarGemmTile implements GemmTile {
  private static final int MR = 4;
  private static final int NR = 8;

  @Override
  public int rows() {
    return MR;
  }

  @Override
  public int columns() {
    return NR;
  }

  @Override
  public void multiply(float[] c, int cOffset, int ldc, float[] a, int aOffset, float[] b, int bOffset, int k,
      boolean accumulate) {
    for (int i = 0; i < MR; i++) {
      for (int j = 0; j < NR; j++) {
        float sum = 0;
        for (int p = 0; p < k; p++) {
          sum = Math.fma(a[aOffset + p * MR + i], b[bOffset + p * NR + j], sum);
        }
        int at = cOffset + i * ldc + j;
        c[at] = accumulate ? c[at] + sum : sum;
      }
    }
  }
}
