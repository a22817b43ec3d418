package org.diffusionrpo.bench.versus;

import static org.bytedeco.openblas.global.openblas.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas.CblasTrans;
import static org.bytedeco.openblas.global.openblas.cblas_sgemm;

import org.bytedeco.javacpp.FloatPointer;

/** OpenBLAS as C programs call it: the result goes to memory that is there already. */
final class OpenBlasWorker implements Worker {
  @Override
  public Runnable gemm(Row.Gemm row) {
    int m = row.m();
    int n = row.n();
    int k = row.k();
    Form form = row.form();
    FloatPointer a = new FloatPointer(Operands.random("a", m * k));
    FloatPointer b = new FloatPointer(Operands.random("b", k * n));
    FloatPointer c = new FloatPointer(new float[m * n]);
    return () -> cblas_sgemm(CblasRowMajor, form.transA ? CblasTrans : CblasNoTrans,
        form.transB ? CblasTrans : CblasNoTrans, m, n, k, 1, a, form.transA ? m : k, b, form.transB ? k : n, 0, c, n);
  }
}
