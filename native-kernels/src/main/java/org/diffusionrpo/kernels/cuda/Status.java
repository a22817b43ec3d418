package org.diffusionrpo.kernels.cuda;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasStatus;
import jcuda.jcudnn.JCudnn;
import jcuda.nvrtc.JNvrtc;

/** Turns the status codes of the four libraries into exceptions. JCuda's own exceptions stay off: they lose codes. */
final class Status {
  /** Version 9 numbers its refusals from here to the next thousand. */
  private static final int CUDNN_NOT_SUPPORTED = 3000;

  /** Codes of the driver that became an exception in this process; a broken context answers with its code for ever. */
  private static final Set<Integer> REPORTED = ConcurrentHashMap.newKeySet();

  private Status() {}

  static void driver(String call, int code) {
    if (code != CUresult.CUDA_SUCCESS) {
      throw driverError(call, code);
    }
  }

  static CudaException driverError(String call, int code) {
    REPORTED.add(code);
    String[] text = {""};
    JCudaDriver.cuGetErrorString(code, text);
    return new CudaException(call, code, CUresult.stringFor(code), (text[0] == null ? "" : text[0]) + advice(code));
  }

  static boolean wasReported(int driverCode) {
    return REPORTED.contains(driverCode);
  }

  static void cublas(String call, int code) {
    if (code != cublasStatus.CUBLAS_STATUS_SUCCESS) {
      throw new CudaException(call, code, cublasStatus.stringFor(code), "");
    }
  }

  static void cudnn(String call, int code) {
    if (code != 0) {
      throw new CudaException(call, code, JCudnn.cudnnGetErrorString(code), "");
    }
  }

  /** Whether cuDNN refuses this configuration but may do others; the codes of version 9. */
  static boolean isUnsupported(int cudnnCode) {
    return cudnnCode / 1000 * 1000 == CUDNN_NOT_SUPPORTED;
  }

  static void nvrtc(String call, int code) {
    if (code != 0) {
      throw new CudaException(call, code, JNvrtc.nvrtcGetErrorString(code), "");
    }
  }

  private static String advice(int code) {
    return switch (code) {
      case CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, CUresult.CUDA_ERROR_LAUNCH_FAILED,
          CUresult.CUDA_ERROR_MISALIGNED_ADDRESS, CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION ->
          "; the device's context is lost, start again from the last checkpoint";
      case CUresult.CUDA_ERROR_ECC_UNCORRECTABLE -> "; the device's memory is failing";
      default -> "";
    };
  }
}
