package org.diffusionrpo.kernels.cuda.emulator;

/** A setting of the emulated device, see {@link CudaEmulator#set}. */
public enum Knob {
  /** CUDA version of the driver, {@code 1000 * major + 10 * minor}; "12060". It limits the PTX that is accepted. */
  DRIVER_VERSION,
  /** "8.0". */
  COMPUTE_CAPABILITY,
  /** Size of the device memory in bytes; 4 GiB. */
  MEMORY_BYTES,
  /** "1"; with "0", cuInit answers that there is no device. */
  DEVICE_COUNT,
  DEVICE_NAME,
  /** Order of the blocks of a grid and of the threads of a block: "forward", "reverse" or "shuffled". */
  THREAD_ORDER,
  /** "true": two accesses to the same bytes, one a write, with no barrier between them are a fault. */
  RACE_CHECK,
  /** "true": work runs only at points of synchronisation, and async copies need pinned memory. */
  DEFERRED_STREAMS,
  /** Threads of the CPU that run the blocks of a large grid; "1". */
  WORKERS,
  CUBLAS_VERSION,
  CUDNN_VERSION,
  /**
   * Directions of convolution that cuDNN does not support, comma-separated: "forward", "backward-data",
   * "backward-filter", or with "nhwc-" in front for that layout only; "".
   */
  CUDNN_UNSUPPORTED,
  /** Architectures that NVRTC compiles for, as in "75,80,86,90". */
  NVRTC_ARCHITECTURES,
  /** "true": every compilation fails as it does when NVRTC does not find its builtins. */
  NVRTC_BROKEN
}
