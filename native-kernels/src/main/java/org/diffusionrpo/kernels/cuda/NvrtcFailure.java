package org.diffusionrpo.kernels.cuda;

/** NVRTC does not work here, which is no reason to stop: there are kernels compiled ahead of time. */
final class NvrtcFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NvrtcFailure(String message) {
    super(message);
  }
}
