package org.diffusionrpo.bench.gemm;

import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;

import java.util.Random;
import org.bytedeco.javacpp.FloatPointer;
import org.diffusionrpo.kernels.cpu.Gemm;
import org.diffusionrpo.kernels.cpu.Matrix;

/** The two sides of the comparison. Each prepares its operands, filled from a fixed seed, where it likes them best. */
enum Contender {
  OURS {
    @Override
    Runnable prepare(GemmShape shape, Form form) {
      int m = shape.m();
      int n = shape.n();
      int k = shape.k();
      float[] a = random(1, m * k);
      float[] b = random(2, k * n);
      float[] c = new float[m * n];
      Matrix left = form.transA ? Matrix.transposed(a, 0, m) : Matrix.rowMajor(a, 0, k);
      Matrix right = form.transB ? Matrix.transposed(b, 0, k) : Matrix.rowMajor(b, 0, n);
      return () -> Gemm.multiply(c, left, right, null, m, n, k, false);
    }
  },

  OPENBLAS {
    @Override
    Runnable prepare(GemmShape shape, Form form) {
      int m = shape.m();
      int n = shape.n();
      int k = shape.k();
      FloatPointer a = new FloatPointer(random(1, m * k));
      FloatPointer b = new FloatPointer(random(2, k * n));
      FloatPointer c = new FloatPointer(new float[m * n]);
      return () -> cblas_sgemm(CblasRowMajor, form.transA ? CblasTrans : CblasNoTrans,
          form.transB ? CblasTrans : CblasNoTrans, m, n, k, 1, a, form.transA ? m : k, b, form.transB ? k : n, 0, c, n);
    }
  };

  /** A call that computes the product once. */
  abstract Runnable prepare(GemmShape shape, Form form);

  private static float[] random(long seed, int length) {
    Random random = new Random(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    return values;
  }
}
