package org.diffusionrpo.kernels.cpu;

/** Products of matrices. Transposition, offset and leading dimension of an operand are part of its {@link Matrix}. */
public final class Gemm {
  static final MacroKernel KERNEL = new MacroKernel(Simd.GEMM);

  private Gemm() {}

  /**
   * {@code c (=|+=) a x b + bias} for c [m, n] row-major from element 0, a [m, k], b [k, n], bias [n] or null.
   *
   * @throws IllegalArgumentException if an operand does not fit its array
   */
  public static void multiply(float[] c, Matrix a, Matrix b, float[] biasOrNull, int m, int n, int k,
      boolean accumulate) {
    check(c, a, b, m, n, k);
    if (biasOrNull != null && biasOrNull.length < n) {
      throw new IllegalArgumentException("Gemm: bias has " + biasOrNull.length + " elements, expected " + n);
    }
    KERNEL.run(new Product(c, 0, n, a.rows(), b.columns(), biasOrNull, m, n, k, accumulate));
  }

  private static void check(float[] c, Matrix a, Matrix b, int m, int n, int k) {
    if (m < 0 || n < 0 || k < 0) {
      throw new IllegalArgumentException("Gemm: negative size in m " + m + ", n " + n + ", k " + k);
    }
    if ((long) m * n > c.length) {
      throw new IllegalArgumentException("Gemm: c needs " + (long) m * n + " elements, has " + c.length);
    }
    a.check("a", m, k);
    b.check("b", k, n);
  }
}
