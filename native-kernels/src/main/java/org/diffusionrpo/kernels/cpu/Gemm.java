package org.diffusionrpo.kernels.cpu;

/** Products of matrices. Transposition, offset and leading dimension of an operand are part of its {@link Matrix}. */
public final class Gemm {
  static final MacroKernel KERNEL = new MacroKernel(Simd.GEMM);

  /** A batch of at least this many products is shared out among threads; a smaller one is computed one by one. */
  private static final int MANY = 8;

  private Gemm() {}

  /**
   * {@code c (=|+=) a x b + bias} for c [m, n] row-major from element 0, a [m, k], b [k, n], bias [n] or null.
   *
   * @throws IllegalArgumentException if an operand does not fit its array
   */
  public static void multiply(float[] c, Matrix a, Matrix b, float[] biasOrNull, int m, int n, int k,
      boolean accumulate) {
    check(c, 0, a, 0, b, 0, 1, m, n, k);
    if (biasOrNull != null && biasOrNull.length < n) {
      throw new IllegalArgumentException("Gemm: bias has " + biasOrNull.length + " elements, expected " + n);
    }
    KERNEL.run(new Product(c, 0, n, a.rows(), b.columns(), biasOrNull, m, n, k, accumulate));
  }

  /**
   * {@code c_s (=|+=) a_s x b_s} for s in [0, batch); the operands of product s lie s strides behind those of product
   * 0. A stride of 0 shares an operand; cStride must be at least m * n.
   *
   * @throws IllegalArgumentException if an operand does not fit its array
   */
  public static void multiplyBatched(float[] c, int cStride, Matrix a, int aStride, Matrix b, int bStride, int batch,
      int m, int n, int k, boolean accumulate) {
    check(c, cStride, a, aStride, b, bStride, batch, m, n, k);
    if (batch < MANY) {
      for (int s = 0; s < batch; s++) {
        KERNEL.run(member(c, cStride, a, aStride, b, bStride, s, m, n, k, accumulate));
      }
    } else {
      Parallel.run(batch, s -> KERNEL.runSerial(member(c, cStride, a, aStride, b, bStride, s, m, n, k, accumulate)));
    }
  }

  private static Product member(float[] c, int cStride, Matrix a, int aStride, Matrix b, int bStride, int s, int m,
      int n, int k, boolean accumulate) {
    return new Product(c, s * cStride, n, a.shifted(s * aStride).rows(), b.shifted(s * bStride).columns(), null, m, n,
        k, accumulate);
  }

  private static void check(float[] c, int cStride, Matrix a, int aStride, Matrix b, int bStride, int batch, int m,
      int n, int k) {
    if (m < 0 || n < 0 || k < 0 || batch < 0 || aStride < 0 || bStride < 0) {
      throw new IllegalArgumentException("Gemm: negative size in batch " + batch + ", m " + m + ", n " + n + ", k "
          + k + ", strides " + aStride + " and " + bStride);
    }
    long last = Math.max(0, batch - 1);
    if (batch > 1 && cStride < (long) m * n) {
      throw new IllegalArgumentException("Gemm: results overlap: stride " + cStride + " for " + m + " x " + n);
    }
    if (batch > 0 && last * cStride + (long) m * n > c.length) {
      throw new IllegalArgumentException("Gemm: c needs " + (last * cStride + (long) m * n) + " elements, has "
          + c.length);
    }
    a.check("a", m, k, last * aStride);
    b.check("b", k, n, last * bStride);
  }
}
