package org.diffusionrpo.tensor.io;

import java.util.Arrays;
import java.util.List;

/**
 * What a file says of a tensor.
 *
 * @param shape sizes of the axes, slowest first; none for a scalar
 */
public record TensorInfo(String name, DType dtype, List<Long> shape) {
  /** More axes than any tensor has; keeps a hostile header from filling the memory. */
  static final int MAX_AXES = 64;

  /** Checks the shape; {@link IllegalArgumentException} if an axis is negative or the size in bits overflows. */
  public TensorInfo {
    shape = List.copyOf(shape);
    if (bits(name, dtype, shape) % Byte.SIZE != 0) {
      throw new IllegalArgumentException(describe(name, dtype, shape) + " does not end at a byte border");
    }
  }

  /** A tensor of {@code shape}, e.g. {@code TensorInfo.of("conv_in.bias", DType.F32, 320)}. */
  public static TensorInfo of(String name, DType dtype, int... shape) {
    return new TensorInfo(name, dtype, Arrays.stream(shape).mapToObj(Long::valueOf).toList());
  }

  /** Product of the shape; 1 for a scalar. */
  public long elements() {
    long elements = 1;
    for (long axis : shape) {
      elements *= axis;
    }
    return elements;
  }

  /** Size of the data in bytes. */
  public long bytes() {
    return elements() * dtype.bits() / Byte.SIZE;
  }

  /** The shape as an array; {@link ArithmeticException} if an axis is beyond the range of int. */
  public int[] dims() {
    return shape.stream().mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public String toString() {
    return describe(name, dtype, shape);
  }

  private static long bits(String name, DType dtype, List<Long> shape) {
    long bits = 1;
    try {
      for (long axis : shape) {
        if (axis < 0) {
          throw new IllegalArgumentException(describe(name, dtype, shape) + " has a negative axis");
        }
        bits = Math.multiplyExact(bits, axis);
      }
      return Math.multiplyExact(bits, (long) dtype.bits());
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(describe(name, dtype, shape) + " is too large to count its bits", e);
    }
  }

  private static String describe(String name, DType dtype, List<Long> shape) {
    return "tensor " + Messages.quote(name) + " (" + dtype + " " + shape + ")";
  }
}
