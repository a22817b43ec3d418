package org.diffusionrpo.kernels.cuda;

/** Activation functions. Large arguments of either sign give the limit, never NaN. An output may be an input. */
public final class Activations {
  /** The slope of quick GELU, as CLIP has it: Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2. */
  private static final float QUICK_GELU_SLOPE = 1.702f;

  private final CudaDevice device;

  public Activations(CudaDevice device) {
    this.device = device;
  }

  /** SiLU: {@code y = x * sigmoid(x)}. */
  public void siluForward(DeviceBuffer y, DeviceBuffer x, long n) {
    swishForward(y, x, 1, n);
  }

  /** {@code dx = dy * silu'(x)}. */
  public void siluBackward(DeviceBuffer dx, DeviceBuffer dy, DeviceBuffer x, long n) {
    swishBackward(dx, dy, x, 1, n);
  }

  /** Quick GELU: {@code y = x * sigmoid(1.702 x)}. */
  public void quickGeluForward(DeviceBuffer y, DeviceBuffer x, long n) {
    swishForward(y, x, QUICK_GELU_SLOPE, n);
  }

  /** {@code dx = dy * quickGelu'(x)}. */
  public void quickGeluBackward(DeviceBuffer dx, DeviceBuffer dy, DeviceBuffer x, long n) {
    swishBackward(dx, dy, x, QUICK_GELU_SLOPE, n);
  }

  /** GELU by the normal distribution itself: {@code y = x * Phi(x) = x * (1 + erf(x / sqrt(2))) / 2}. */
  public void geluForward(DeviceBuffer y, DeviceBuffer x, long n) {
    launch("gelu_forward", Elementwise.quads(n), y, x, n);
  }

  /** {@code dx = dy * (Phi(x) + x * phi(x))}. */
  public void geluBackward(DeviceBuffer dx, DeviceBuffer dy, DeviceBuffer x, long n) {
    launch("gelu_backward", Elementwise.quads(n), dx, dy, x, n);
  }

  /**
   * GEGLU, Shazeer 2020, arXiv:2002.05202.
   * <pre>
   *   x [rows, 2 * columns] = [a, gate]     y [rows, columns] = a * gelu(gate)
   * </pre>
   */
  public void gegluForward(DeviceBuffer y, DeviceBuffer x, int rows, int columns) {
    launch("geglu_forward", Elementwise.quads((long) rows * columns), y, x, (long) rows, columns);
  }

  /** dx [rows, 2 * columns] from dy [rows, columns]. dx may be x. */
  public void gegluBackward(DeviceBuffer dx, DeviceBuffer dy, DeviceBuffer x, int rows, int columns) {
    launch("geglu_backward", Elementwise.quads((long) rows * columns), dx, dy, x, (long) rows, columns);
  }

  private void swishForward(DeviceBuffer y, DeviceBuffer x, float slope, long n) {
    launch("swish_forward", Elementwise.quads(n), y, x, slope, n);
  }

  private void swishBackward(DeviceBuffer dx, DeviceBuffer dy, DeviceBuffer x, float slope, long n) {
    launch("swish_backward", Elementwise.quads(n), dx, dy, x, slope, n);
  }

  private void launch(String kernel, Grid grid, Object... arguments) {
    device.module("activations").launch(kernel, grid, arguments);
  }
}
