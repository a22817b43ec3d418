package org.diffusionrpo.kernels.cuda;

import static jcuda.driver.CUresult.CUDA_ERROR_NOT_READY;
import static jcuda.driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY;
import static jcuda.driver.CUresult.CUDA_SUCCESS;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.cublasStatus;
import jcuda.jcudnn.JCudnn;
import jcuda.nvrtc.JNvrtc;

/** Turns the status codes of the four libraries into exceptions. JCuda's own exceptions stay off: they lose codes. */
final class Status {
  /** Version 9 of cuDNN refuses a configuration with these codes ... */
  private static final int CUDNN_NOT_SUPPORTED = 3000;
  private static final int CUDNN_NOT_SUPPORTED_LAYOUT = 3004;
  /** ... and these; those between are of an installation that does not fit together. */
  private static final int CUDNN_SHARED_MEMORY_INSUFFICIENT = 3010;
  private static final int CUDNN_LAST_NOT_SUPPORTED = 3999;
  private static final int CUDNN_HOST_ALLOCATION_FAILED = 4003;
  private static final int CUDNN_DEVICE_ALLOCATION_FAILED = 4004;

  /** After these every call fails until the process ends, and the call that shows them need not be their cause. */
  private static final Set<Integer> LOST = Set.of(CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
      CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, CUresult.CUDA_ERROR_LAUNCH_TIMEOUT, CUresult.CUDA_ERROR_CONTEXT_IS_DESTROYED,
      CUresult.CUDA_ERROR_ASSERT, CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR, CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
      CUresult.CUDA_ERROR_MISALIGNED_ADDRESS, CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
      CUresult.CUDA_ERROR_INVALID_PC, CUresult.CUDA_ERROR_LAUNCH_FAILED, CUresult.CUDA_ERROR_UNKNOWN);

  /** Codes of the driver that became an exception in this process; a lost context answers with its code for ever. */
  private static final Set<Integer> REPORTED = ConcurrentHashMap.newKeySet();

  private Status() {}

  /** Whose code it is. */
  enum Library { DRIVER, CUBLAS, CUDNN }

  static void check(Library library, String call, int code) {
    switch (library) {
      case DRIVER -> driver(call, code);
      case CUBLAS -> cublas(call, code);
      case CUDNN -> cudnn(call, code);
    }
  }

  static boolean isOutOfMemory(Library library, int code) {
    return switch (library) {
      case DRIVER -> code == CUDA_ERROR_OUT_OF_MEMORY;
      case CUBLAS -> code == cublasStatus.CUBLAS_STATUS_ALLOC_FAILED;
      case CUDNN -> code == CUDNN_HOST_ALLOCATION_FAILED || code == CUDNN_DEVICE_ALLOCATION_FAILED;
    };
  }

  static void driver(String call, int code) {
    if (code != CUDA_SUCCESS) {
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
      lost(call);
      throw new CudaException(call, code, cublasStatus.stringFor(code), "");
    }
  }

  static void cudnn(String call, int code) {
    if (code != 0) {
      lost(call);
      throw new CudaException(call, code, JCudnn.cudnnGetErrorString(code), "");
    }
  }

  /** A library answers "execution failed" for whatever broke the context before; the driver knows better. */
  private static void lost(String call) {
    int code = JCudaDriver.cuStreamQuery(null);
    if (code != CUDA_SUCCESS && code != CUDA_ERROR_NOT_READY) {
      throw driverError(call, code);
    }
  }

  /** Whether cuDNN refuses this configuration but may do others. */
  static boolean isUnsupported(int cudnnCode) {
    return cudnnCode >= CUDNN_NOT_SUPPORTED && cudnnCode <= CUDNN_NOT_SUPPORTED_LAYOUT
        || cudnnCode >= CUDNN_SHARED_MEMORY_INSUFFICIENT && cudnnCode <= CUDNN_LAST_NOT_SUPPORTED;
  }

  static void nvrtc(String call, int code) {
    if (code != 0) {
      throw new NvrtcFailure(new CudaException(call, code, JNvrtc.nvrtcGetErrorString(code), "").getMessage());
    }
  }

  private static String advice(int code) {
    return LOST.contains(code) ? "; the device's context is lost, through this call or an earlier one: start again from "
        + "the last checkpoint" : "";
  }
}
