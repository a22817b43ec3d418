package org.diffusionrpo.kernels.cuda;

import jcuda.cudaDataType;
import jcuda.jcudnn.cudnnDataType;

/** How numbers stand in device memory. */
public enum Format {
  F32(4, cudaDataType.CUDA_R_32F, cudnnDataType.CUDNN_DATA_FLOAT),
  BF16(2, cudaDataType.CUDA_R_16BF, cudnnDataType.CUDNN_DATA_BFLOAT16),
  F16(2, cudaDataType.CUDA_R_16F, cudnnDataType.CUDNN_DATA_HALF);

  private final int bytes;
  private final int cublas;
  private final int cudnn;

  Format(int bytes, int cublas, int cudnn) {
    this.bytes = bytes;
    this.cublas = cublas;
    this.cudnn = cudnn;
  }

  public int bytes() {
    return bytes;
  }

  int cublas() {
    return cublas;
  }

  int cudnn() {
    return cudnn;
  }
}
