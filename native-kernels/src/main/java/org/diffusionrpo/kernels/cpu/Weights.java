package org.diffusionrpo.kernels.cpu;

import java.util.Objects;

/**
 * Read-only numbers of one matrix operand, stored as float, bf16 or fp16. The two 16-bit forms are for frozen
 * parameters; they become floats while a product packs them, so all arithmetic is in fp32. The array is not copied.
 */
public final class Weights {
  private enum Format { FLOAT, BF16, FP16 }

  private final Format format;
  private final float[] floats;
  private final short[] halves;

  private Weights(Format format, float[] floats, short[] halves) {
    this.format = format;
    this.floats = floats;
    this.halves = halves;
  }

  public static Weights of(float[] data) {
    return new Weights(Format.FLOAT, Objects.requireNonNull(data), null);
  }

  /** Bit patterns of bfloat16, see {@link HalfFloats}. */
  public static Weights bf16(short[] data) {
    return new Weights(Format.BF16, null, Objects.requireNonNull(data));
  }

  /** Bit patterns of IEEE binary16, see {@link HalfFloats}. */
  public static Weights fp16(short[] data) {
    return new Weights(Format.FP16, null, Objects.requireNonNull(data));
  }

  /** Number of elements. */
  public int length() {
    return format == Format.FLOAT ? floats.length : halves.length;
  }

  /** The array itself when it holds floats, else null. */
  float[] floatsOrNull() {
    return floats;
  }

  /** Copies [from, from + length) as floats to {@code to[at ...]}. */
  void read(int from, float[] to, int at, int length) {
    switch (format) {
      case FLOAT -> System.arraycopy(floats, from, to, at, length);
      case BF16 -> HalfFloats.fromBf16(to, at, halves, from, length);
      case FP16 -> HalfFloats.fromFp16(to, at, halves, from, length);
      default -> throw new AssertionError(format);
    }
  }
}
