package org.diffusionrpo.kernels.cuda;

/**
 * How to use a device.
 *
 * @param device number of the device, from 0, in the driver's order
 * @param precision of matrix products, convolutions and attention
 * @param deterministic only algorithms whose results are bit-equal on repetition
 * @param graphs work that is to be repeated is recorded as a {@link CudaGraph}
 * @param poison for tests: fresh memory reads as NaN, blocks have their exact size and are never used again, so that a
 *     checking driver sees every access that is out of bounds or too late
 */
public record CudaOptions(int device, Precision precision, boolean deterministic, boolean graphs,
    boolean poison) {
  /** The first device in exact, deterministic fp32. */
  public static final CudaOptions DEFAULT = new CudaOptions(0, Precision.FP32, true, false, false);

  public CudaOptions withDevice(int number) {
    return new CudaOptions(number, precision, deterministic, graphs, poison);
  }

  public CudaOptions withPrecision(Precision format) {
    return new CudaOptions(device, format, deterministic, graphs, poison);
  }

  public CudaOptions withDeterministic(boolean equalReruns) {
    return new CudaOptions(device, precision, equalReruns, graphs, poison);
  }

  public CudaOptions withGraphs(boolean recorded) {
    return new CudaOptions(device, precision, deterministic, recorded, poison);
  }

  public CudaOptions withPoison(boolean poisoned) {
    return new CudaOptions(device, precision, deterministic, graphs, poisoned);
  }
}
