package org.diffusionrpo.kernels.cuda.emulator;

import static jcuda.jcublas.JCublas2.cublasCreate;
import static jcuda.jcublas.JCublas2.cublasDestroy;
import static jcuda.jcublas.JCublas2.cublasGemmEx_new;
import static jcuda.jcublas.JCublas2.cublasGemmStridedBatchedEx_new;
import static jcuda.jcublas.JCublas2.cublasSetMathMode;
import static jcuda.jcublas.JCublas2.cublasSetPointerMode;
import static jcuda.jcublas.JCublas2.cublasSetStream;
import static jcuda.jcublas.JCublas2.cublasSgemm;
import static org.diffusionrpo.kernels.cuda.emulator.EmulatedKernelTest.gaussian;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jcuda.Pointer;
import jcuda.cudaDataType;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasPointerMode;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** cuBLAS against plain loops. Matrices are column-major here, as cuBLAS sees them. */
class EmulatedGemmTest {
  private static final int M = 37;
  private static final int N = 41;
  private static final int K = 530;
  /** Sums of 530 products of numbers of scale 1; the rounding of a 16-bit result is added where there is one. */
  private static final double TOLERANCE = 1e-3;
  private static final int FP32 = cudaDataType.CUDA_R_32F;
  private static final int FP16 = cudaDataType.CUDA_R_16F;
  private static final int BF16 = cudaDataType.CUDA_R_16BF;

  private EmulatedDevice device;
  private final cublasHandle handle = new cublasHandle();

  @BeforeEach void open() {
    device = EmulatedDevice.open();
    ok(cublasCreate(handle));
    ok(cublasSetStream(handle, new cudaStream_t(device.stream)));
  }

  @AfterEach void close() {
    if (device != null) {
      ok(cublasDestroy(handle));
      device.close();
    }
  }

  @ParameterizedTest @CsvSource({"0,0", "1,0", "0,1", "1,1"})
  void everyTranspositionWithLeadingDimensionsAndScalars(int ta, int tb) {
    int lda = (ta == 0 ? M : K) + 3, ldb = (tb == 0 ? K : N) + 5, ldc = M + 2;
    float[] a = gaussian(lda * (ta == 0 ? K : M), 1), b = gaussian(ldb * (tb == 0 ? N : K), 2),
        c = gaussian(ldc * N, 3);
    CUdeviceptr cs = device.upload(c);
    ok(cublasSgemm(handle, ta, tb, M, N, K, scalar(1.5f), device.upload(a), lda, device.upload(b), ldb, scalar(-0.5f),
        cs, ldc));
    float[] got = device.floats(cs, c.length);
    for (int j = 0; j < N; j++) {
      for (int i = 0; i < ldc; i++) {
        double expected = c[j * ldc + i];
        if (i < M) {
          expected *= -0.5;
          for (int p = 0; p < K; p++) {
            double left = ta == 0 ? a[p * lda + i] : a[i * lda + p], right = tb == 0 ? b[j * ldb + p] : b[p * ldb + j];
            expected += 1.5 * left * right;
          }
        }
        assertEquals(expected, got[j * ldc + i], TOLERANCE);
      }
    }
  }

  @ParameterizedTest @CsvSource({"0.01,false", "0.08,true"})
  void sixteenBitInputsAndResults(double rounding, boolean bfloat16) {
    int type = bfloat16 ? BF16 : FP16;
    short[] a = new short[M * K], b = new short[K * N];
    float[] af = fill(a, 4, bfloat16), bf = fill(b, 5, bfloat16);
    CUdeviceptr as = device.upload(a), bs = device.upload(b), wide = device.allocate(4 * M * N),
        narrow = device.allocate(2 * M * N);
    ok(gemmEx(as, type, bs, type, wide, FP32, cublasComputeType.CUBLAS_COMPUTE_32F));
    ok(gemmEx(as, type, bs, type, narrow, type, cublasComputeType.CUBLAS_COMPUTE_32F));
    float[] got = device.floats(wide, M * N);
    short[] rounded = device.shorts(narrow, M * N);
    for (int i = 0; i < M * N; i++) {
      double expected = 0;
      for (int p = 0; p < K; p++) {
        expected += (double) af[p * M + i % M] * bf[i / M * K + p];
      }
      assertEquals(expected, got[i], TOLERANCE);
      float value = bfloat16 ? Float.intBitsToFloat(rounded[i] << 16) : EmulatedKernelTest.half(rounded[i] & 0xffff);
      assertEquals(expected, value, TOLERANCE + Math.abs(expected) * rounding);
    }
  }

  @Test void batchWithStrides() {
    int batch = 3;
    float[] a = gaussian(batch * 6, 6), b = gaussian(6, 7), c = new float[batch * 10];
    CUdeviceptr cs = device.upload(c);
    ok(cublasGemmStridedBatchedEx_new(handle, 0, 0, 2, 2, 3, scalar(1), device.upload(a), FP32, 2, 6, device.upload(b),
        FP32, 3, 0, scalar(0), cs, FP32, 2, 10, batch, cublasComputeType.CUBLAS_COMPUTE_32F, -1));
    float[] got = device.floats(cs, c.length);
    for (int q = 0; q < batch; q++) {
      for (int i = 0; i < 10; i++) {
        double expected = 0;
        for (int p = 0; i < 4 && p < 3; p++) {
          expected += (double) a[q * 6 + p * 2 + i % 2] * b[i / 2 * 3 + p];
        }
        assertEquals(expected, got[q * 10 + i], 1e-5);
      }
    }
  }

  @Test void betaOfZeroDoesNotReadTheResult() {
    CUdeviceptr c = device.allocate(4); // NaN
    ok(cublasSgemm(handle, 0, 0, 1, 1, 1, scalar(1), device.upload(2f), 1, device.upload(3f), 1, scalar(0), c, 1));
    assertEquals(6f, device.floats(c, 1)[0]);
  }

  @Test void scalarsOnTheDevice() {
    CUdeviceptr c = device.upload(10f), a = device.upload(2f), b = device.upload(3f);
    ok(cublasSetPointerMode(handle, cublasPointerMode.CUBLAS_POINTER_MODE_DEVICE));
    ok(cublasSgemm(handle, 0, 0, 1, 1, 1, device.upload(5f), a, 1, b, 1, device.upload(0.5f), c, 1));
    assertEquals(35f, device.floats(c, 1)[0]);
    ok(cublasSetPointerMode(handle, cublasPointerMode.CUBLAS_POINTER_MODE_HOST));
    assertEquals(cublasStatus.CUBLAS_STATUS_INVALID_VALUE,
        cublasSgemm(handle, 0, 0, 1, 1, 1, device.upload(5f), a, 1, b, 1, scalar(0), c, 1));
    assertEquals("cublasSgemm: alpha or beta is a device pointer", CudaEmulator.lastFault());
  }

  @Test void tf32KeepsTenBits() {
    float fine = 1 + 0x1p-11f + 0x1p-20f, coarse = 1 + 0x1p-10f; // rounds up
    CUdeviceptr a = device.upload(fine), b = device.upload(1f), c = device.allocate(4);
    ok(cublasSgemm(handle, 0, 0, 1, 1, 1, scalar(1), a, 1, b, 1, scalar(0), c, 1));
    assertEquals(fine, device.floats(c, 1)[0]);
    ok(cublasGemmEx_new(handle, 0, 0, 1, 1, 1, scalar(1), a, FP32, 1, b, FP32, 1, scalar(0), c, FP32, 1,
        cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32, -1));
    assertEquals(coarse, device.floats(c, 1)[0]);
    ok(cublasSetMathMode(handle, cublasMath.CUBLAS_TF32_TENSOR_OP_MATH));
    ok(cublasSgemm(handle, 0, 0, 1, 1, 1, scalar(1), a, 1, b, 1, scalar(0), c, 1));
    assertEquals(coarse, device.floats(c, 1)[0]);
    CudaEmulator.set(Knob.COMPUTE_CAPABILITY, "7.5"); // has no TF32
    ok(cublasSgemm(handle, 0, 0, 1, 1, 1, scalar(1), a, 1, b, 1, scalar(0), c, 1));
    assertEquals(fine, device.floats(c, 1)[0]);
  }

  @Test void wrongParametersAreRefused() {
    CUdeviceptr x = device.upload(new float[64]), y = device.allocate(256);
    refused("lda is less than the rows of A", sgemm(0, 0, 4, 4, 4, 3, 4, 4, x, y));
    refused("ldb is less than the rows of B", sgemm(0, 1, 4, 5, 4, 4, 4, 4, x, y));
    refused("ldc is less than the rows of C", sgemm(0, 0, 4, 4, 4, 4, 4, 3, x, y));
    refused("a negative size", sgemm(0, 0, -1, 4, 4, 4, 4, 4, x, y));
    refused("C is also an operand", sgemm(0, 0, 4, 4, 4, 4, 4, 4, x, x));
    assertEquals(cublasStatus.CUBLAS_STATUS_NOT_SUPPORTED, gemmEx(x, FP32, x, FP16, y, FP32, 68));
    assertEquals(cublasStatus.CUBLAS_STATUS_NOT_SUPPORTED, gemmEx(x, FP32, x, FP32, y, FP32, 70));
    assertEquals(cublasStatus.CUBLAS_STATUS_NOT_INITIALIZED,
        cublasSgemm(new cublasHandle(), 0, 0, 1, 1, 1, scalar(1), x, 1, x, 1, scalar(0), y, 1));
    ok(sgemm(0, 0, 0, 4, 4, 4, 4, 4, x, y)); // nothing to do
    EmulatedDevice.check(device.synchronise());
  }

  @Test void matrixPastItsAllocationIsAFault() {
    CUdeviceptr x = device.upload(new float[63]), y = device.allocate(256);
    ok(cublasSgemm(handle, 0, 0, 8, 8, 8, scalar(1), x, 8, device.upload(new float[64]), 8, scalar(0), y, 8));
    assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, device.synchronise());
    assertEquals("cublasSgemm: 256 bytes are not inside one allocation, they start at byte 0 of 252 bytes",
        CudaEmulator.lastFault());
    assertEquals(cublasStatus.CUBLAS_STATUS_EXECUTION_FAILED,
        cublasSgemm(handle, 0, 0, 1, 1, 1, scalar(1), x, 1, x, 1, scalar(0), y, 1));
  }

  @Test void orderedFailuresCountsAndLeaks() {
    CUdeviceptr x = device.upload(1f), y = device.allocate(4);
    CudaEmulator.fail("cublasSgemm", 1, cublasStatus.CUBLAS_STATUS_INTERNAL_ERROR);
    assertEquals(cublasStatus.CUBLAS_STATUS_INTERNAL_ERROR,
        cublasSgemm(handle, 0, 0, 1, 1, 1, scalar(1), x, 1, x, 1, scalar(0), y, 1));
    assertEquals(1, CudaEmulator.calls("cublasSgemm"));
    assertTrue(CudaEmulator.leaks().contains("cuBLAS handle"));
  }

  @Test void aDestroyedStreamIsRefused() {
    CUstream stream = new CUstream();
    EmulatedDevice.check(JCudaDriver.cuStreamCreate(stream, 0));
    EmulatedDevice.check(JCudaDriver.cuStreamDestroy(stream));
    assertEquals(cublasStatus.CUBLAS_STATUS_INVALID_VALUE, cublasSetStream(handle, new cudaStream_t(stream)));
  }

  /** y = x x, with these sizes. */
  private int sgemm(int ta, int tb, int m, int n, int k, int lda, int ldb, int ldc, CUdeviceptr x, CUdeviceptr y) {
    return cublasSgemm(handle, ta, tb, m, n, k, scalar(1), x, lda, x, ldb, scalar(0), y, ldc);
  }

  private int gemmEx(Pointer a, int aType, Pointer b, int bType, Pointer c, int cType, int compute) {
    return cublasGemmEx_new(handle, 0, 0, M, N, K, scalar(1), a, aType, M, b, bType, K, scalar(0), c, cType, M, compute,
        -1);
  }

  private static float[] fill(short[] bits, long seed, boolean bfloat16) {
    float[] values = gaussian(bits.length, seed);
    for (int i = 0; i < bits.length; i++) {
      values[i] = Math.round(values[i] * 32) / 32f; // a number that both formats hold
      bits[i] = EmulatedKernelTest.bits(values[i], bfloat16);
    }
    return values;
  }

  private static Pointer scalar(float value) {
    return Pointer.to(new float[] {value});
  }

  private static void refused(String why, int code) {
    assertEquals("CUBLAS_STATUS_INVALID_VALUE", cublasStatus.stringFor(code));
    assertEquals("cublasSgemm: " + why, CudaEmulator.lastFault());
  }

  private static void ok(int code) {
    assertEquals("CUBLAS_STATUS_SUCCESS", cublasStatus.stringFor(code), CudaEmulator::lastFault);
  }
}
