package org.diffusionrpo.kernels.cuda;

/**
 * Conversion between fp32 and the 16-bit formats, rounded to nearest even. Scales are powers of two and stay on the
 * device, one float each.
 */
final class Convert {
  private final CudaDevice device;

  Convert(CudaDevice device) {
    this.device = device;
  }

  /** y [n] of bf16, x [n] of fp32. */
  void toBf16(DeviceBuffer y, DeviceBuffer x, long n) {
    launch("to_bf16", Elementwise.quads(n), y, x, n);
  }

  /** y [n] of fp16, x [n] of fp32; values from 65520 on become infinite. */
  void toF16(DeviceBuffer y, DeviceBuffer x, long n) {
    launch("to_fp16", Elementwise.quads(n), y, x, n);
  }

  /** y [n] of fp32, x [n] of bf16. */
  void fromBf16(DeviceBuffer y, DeviceBuffer x, long n) {
    launch("from_bf16", Elementwise.quads(n), y, x, n);
  }

  /** y [n] of fp32, x [n] of fp16. */
  void fromF16(DeviceBuffer y, DeviceBuffer x, long n) {
    launch("from_fp16", Elementwise.quads(n), y, x, n);
  }

  /**
   * {@code scale[0]} = the power of two with {@code 0.5 <= max |x| * scale < 1}, between 2^-126 and 2^126; 1 when x is
   * all zeros, or not finite.
   */
  void scaleOf(DeviceBuffer scale, DeviceBuffer x, long n) {
    int blocks = PartSums.blocks(n);
    try (DeviceBuffer parts = device.memory().take((long) blocks * Integer.BYTES)) {
      launch("amax_parts", Grid.of(blocks, PartSums.THREADS), parts, x, n);
      launch("scale_of_parts", Grid.of(1, PartSums.THREADS), scale, parts, blocks);
    }
  }

  /** y [n] of fp16 = x [n] of fp32, times the scale. */
  void toF16(DeviceBuffer y, DeviceBuffer x, DeviceBuffer scale, long n) {
    launch("to_fp16_scaled", Elementwise.quads(n), y, x, scale, n);
  }

  /** y [n] of fp32 = x [n] of fp16, divided by both scales. */
  void fromF16(DeviceBuffer y, DeviceBuffer x, DeviceBuffer scaleA, DeviceBuffer scaleB, long n) {
    launch("from_fp16_unscaled", Elementwise.quads(n), y, x, scaleA, scaleB, n);
  }

  private void launch(String kernel, Grid grid, Object... arguments) {
    device.module("convert").launch(kernel, grid, arguments);
  }
}
