package org.diffusionrpo.kernels.cuda;

/** The GPU's memory does not suffice, where Java's may; the process and the backend stay usable. */
public final class DeviceOutOfMemoryError extends OutOfMemoryError {
  private static final long serialVersionUID = 1L;

  DeviceOutOfMemoryError(String message) {
    super(message);
  }
}
