package org.diffusionrpo.kernels.cuda;

/** A call of the driver, cuBLAS, cuDNN or NVRTC that failed; the message names the call, its code and what to do. */
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** For failures before or beside any call, such as a missing library. */
  public CudaException(String message) {
    super(message);
  }

  public CudaException(String message, Throwable cause) {
    super(message, cause);
  }

  CudaException(String call, int code, String name, String text) {
    super(call + " failed: " + name + " (" + code + ")" + (text.isEmpty() ? "" : ", " + text));
  }
}
