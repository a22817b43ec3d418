package org.diffusionrpo.kernels.cuda;

import static jcuda.jcublas.JCublas2.cublasGemmEx_new;
import static jcuda.jcublas.JCublas2.cublasSetPointerMode;

import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasOperation;
import jcuda.jcublas.cublasPointerMode;

/**
 * Matrix products by cuBLAS, in the device's precision, with fp32 sums and results. cuBLAS counts columns first, so a
 * row-major product C = A B is asked for as its transpose, C' = B' A', with the same memory.
 */
public final class Gemm {
  private final CudaDevice device;
  private final Rounding rounding;
  private final int computeType;

  public Gemm(CudaDevice device) {
    this.device = device;
    this.rounding = new Rounding(device);
    this.computeType = device.options().precision() == Precision.TF32
        ? cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32 : cublasComputeType.CUBLAS_COMPUTE_32F;
  }

  /**
   * {@code C[m, n] = alpha * op(A)[m, k] op(B)[k, n] + beta * C}, all row-major; op is the transpose where asked for,
   * and that matrix is then stored as [k, m] or [n, k].
   *
   * @param ldc elements from one row of C to the next; likewise lda and ldb, of the matrices as they are stored
   */
  public void multiply(DeviceBuffer c, long ldc, Operand a, long lda, boolean transposeA, Operand b, long ldb,
      boolean transposeB, int m, int n, int k, float alpha, float beta) {
    try (Rounded left = rounding.round(a, transposeA ? span(k, m, lda) : span(m, k, lda));
        Rounded right = rounding.round(b, transposeB ? span(n, k, ldb) : span(k, n, ldb))) {
      if (left.scale() == null) {
        call(c, ldc, left, lda, transposeA, right, ldb, transposeB, m, n, k, Pointer.to(new float[] {alpha}),
            Pointer.to(new float[] {beta}));
      } else {
        scaled(c, ldc, left, lda, transposeA, right, ldb, transposeB, m, n, k, alpha, beta);
      }
    }
  }

  /** The same for fp32 operands. */
  public void multiply(DeviceBuffer c, long ldc, DeviceBuffer a, long lda, boolean transposeA, DeviceBuffer b,
      long ldb, boolean transposeB, int m, int n, int k, float alpha, float beta) {
    multiply(c, ldc, Operand.f32(a), lda, transposeA, Operand.f32(b), ldb, transposeB, m, n, k, alpha, beta);
  }

  /** Elements from the first to the last of a matrix whose rows may lie apart. */
  private static long span(long rows, long columns, long ld) {
    return (rows - 1) * ld + columns;
  }

  /** With factors on the device: alpha over the scales of both operands is known there only. */
  private void scaled(DeviceBuffer c, long ldc, Rounded a, long lda, boolean transposeA, Rounded b, long ldb,
      boolean transposeB, int m, int n, int k, float alpha, float beta) {
    try (DeviceBuffer factors = device.memory().take(2 * Float.BYTES)) {
      device.module("gemm").launch("gemm_factors", Grid.of(1, 1), factors, a.scale(), b.scale(), alpha, beta);
      Status.cublas("cublasSetPointerMode",
          cublasSetPointerMode(device.cublas(), cublasPointerMode.CUBLAS_POINTER_MODE_DEVICE));
      try {
        call(c, ldc, a, lda, transposeA, b, ldb, transposeB, m, n, k, factors.pointer(),
            factors.at(Float.BYTES).pointer());
      } finally {
        cublasSetPointerMode(device.cublas(), cublasPointerMode.CUBLAS_POINTER_MODE_HOST);
      }
    }
  }

  private void call(DeviceBuffer c, long ldc, Rounded a, long lda, boolean transposeA, Rounded b, long ldb,
      boolean transposeB, int m, int n, int k, Pointer alpha, Pointer beta) {
    device.memory().call(Status.Library.CUBLAS, "cublasGemmEx", () -> cublasGemmEx_new(device.cublas(),
        operation(transposeB), operation(transposeA), n, m, k, alpha, b.buffer().pointer(), b.format().cublas(),
        Math.toIntExact(ldb), a.buffer().pointer(), a.format().cublas(), Math.toIntExact(lda), beta, c.pointer(),
        cudaDataType.CUDA_R_32F, Math.toIntExact(ldc), computeType, cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
  }

  private static int operation(boolean transpose) {
    return transpose ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
  }
}
