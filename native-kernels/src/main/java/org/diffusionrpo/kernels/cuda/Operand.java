package org.diffusionrpo.kernels.cuda;

/** An input of a product: fp32, or the half floats of frozen weights. */
public record Operand(DeviceBuffer buffer, Format format) {
  public static Operand f32(DeviceBuffer buffer) {
    return new Operand(buffer, Format.F32);
  }
}
