package org.diffusionrpo.kernels.cuda;

/**
 * Rounds operands to the device's precision.
 *
 * <p>bf16 has the range of fp32, and rounding is all. fp16 has five bits of exponent: activations above 65,504 overflow
 * and gradients below 6e-8 vanish. The usual remedy, one loss scale for the whole network, is a guess that changes
 * during training. Here each operand gets the power of two that brings its largest value into [0.5, 1), and the product
 * is divided by both. Values 2^-25 of the largest and below become zero. Where cuDNN writes fp16, a sum of more than 65,504
 * terms of nearly the largest size could overflow. The scale is found and used on the device.
 */
final class Rounding {
  private final CudaDevice device;
  private final Convert convert;

  Rounding(CudaDevice device) {
    this.device = device;
    this.convert = new Convert(device);
  }

  /** The format of operands in the device's precision. */
  Format format() {
    return switch (device.options().precision()) {
      case FP32, TF32 -> Format.F32;
      case BF16 -> Format.BF16;
      case FP16 -> Format.F16;
    };
  }

  /** @param n elements from the start of the operand's buffer on */
  Rounded round(Operand operand, long n) {
    Format format = format();
    if (operand.format() == format && format != Format.F16) {
      return new Rounded(operand.buffer(), format, null, false);
    } else if (operand.format() == Format.F32) {
      return fromFloats(operand.buffer(), format, n);
    } else if (format == Format.F32) {
      return new Rounded(widen(operand, n), format, null, true);
    }
    try (DeviceBuffer wide = widen(operand, n)) {
      return fromFloats(wide, format, n);
    }
  }

  private Rounded fromFloats(DeviceBuffer x, Format format, long n) {
    DeviceMemory memory = device.memory();
    Resources taken = new Resources(); // given back unless all goes well
    try {
      DeviceBuffer y = memory.take(n * format.bytes());
      taken.add(y::close);
      if (format == Format.BF16) {
        convert.toBf16(y, x, n);
        return new Rounded(y, format, null, true);
      }
      DeviceBuffer scale = memory.take(Float.BYTES);
      taken.add(scale::close);
      convert.scaleOf(scale, x, n);
      convert.toF16(y, x, scale, n);
      return new Rounded(y, format, scale, true);
    } catch (RuntimeException | Error e) {
      taken.close();
      throw e;
    }
  }

  private DeviceBuffer widen(Operand x, long n) {
    DeviceBuffer y = device.memory().take(n * Float.BYTES);
    try {
      if (x.format() == Format.BF16) {
        convert.fromBf16(y, x.buffer(), n);
      } else {
        convert.fromF16(y, x.buffer(), n);
      }
      return y;
    } catch (RuntimeException | Error e) {
      y.close();
      throw e;
    }
  }
}
