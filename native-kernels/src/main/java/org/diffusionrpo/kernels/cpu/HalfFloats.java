package org.diffusionrpo.kernels.cpu;

/**
 * Conversion between float and the two 16-bit formats of checkpoints, rounding to nearest, ties to even.
 * <pre>
 *   fp16 (IEEE 754 binary16)   1 sign, 5 exponent (bias 15), 10 fraction bits
 *   bf16 (bfloat16)            the upper half of a float: 1 sign, 8 exponent (bias 127), 7 fraction bits
 * </pre>
 * Every 16-bit value survives the way to float and back; a NaN stays a NaN, with its sign and upper payload, but a
 * signalling one becomes quiet on the way back.
 */
public final class HalfFloats {
  private static final int QUIET_FP16 = 0x0200;
  private static final int QUIET_BF16 = 0x0040;
  /** 65520, halfway between the largest fp16 (65504) and the next power: from here on it rounds to infinity. */
  private static final int FP16_OVERFLOW = 0x477FF000;
  /** 2^-14, the smallest normal fp16. */
  private static final int FP16_MIN_NORMAL = 0x38800000;
  private static final float TWO_POW_24 = 1 << 24;
  private static final float TWO_POW_MINUS_24 = 1 / TWO_POW_24;
  private static final int INFINITY = 0x7F800000;

  private HalfFloats() {}

  /** The float with the value of an fp16 bit pattern; exact. */
  public static float fromFp16(short half) {
    int sign = (half & 0x8000) << 16;
    int magnitude = half & 0x7FFF;
    int exponent = magnitude >>> 10;
    if (exponent == 0) { // zero or subnormal: magnitude * 2^-24, exact in float
      return Float.intBitsToFloat(sign | Float.floatToRawIntBits(magnitude * TWO_POW_MINUS_24));
    }
    int rebias = exponent == 31 ? 255 - 31 : 127 - 15;
    return Float.intBitsToFloat(sign | ((magnitude << 13) + (rebias << 23)));
  }

  /** The nearest fp16; values from 65520 on become infinite. */
  public static short toFp16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    int magnitude = bits & 0x7FFFFFFF;
    int half;
    if (magnitude > INFINITY) {
      half = 0x7C00 | QUIET_FP16 | ((magnitude >>> 13) & 0x3FF);
    } else if (magnitude >= FP16_OVERFLOW) {
      half = 0x7C00;
    } else if (magnitude < FP16_MIN_NORMAL) { // a multiple of 2^-24; rint rounds ties to even
      half = (int) Math.rint(Float.intBitsToFloat(magnitude) * TWO_POW_24);
    } else { // a carry out of the fraction moves into the exponent, as it should
      half = (magnitude - ((127 - 15) << 23) + 0x0FFF + ((magnitude >>> 13) & 1)) >>> 13;
    }
    return (short) (sign | half);
  }

  /** The float with the value of a bf16 bit pattern; exact. */
  public static float fromBf16(short half) {
    return Float.intBitsToFloat(half << 16);
  }

  /** The nearest bf16. */
  public static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if ((bits & 0x7FFFFFFF) > INFINITY) {
      return (short) ((bits >>> 16) | QUIET_BF16);
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  /** {@code to[toOffset + i] = from[fromOffset + i]} for i in [0, length). */
  public static void fromFp16(float[] to, int toOffset, short[] from, int fromOffset, int length) {
    for (int i = 0; i < length; i++) {
      to[toOffset + i] = fromFp16(from[fromOffset + i]);
    }
  }

  /** {@code to[toOffset + i]} = nearest fp16 of {@code from[fromOffset + i]} for i in [0, length). */
  public static void toFp16(short[] to, int toOffset, float[] from, int fromOffset, int length) {
    for (int i = 0; i < length; i++) {
      to[toOffset + i] = toFp16(from[fromOffset + i]);
    }
  }

  /** {@code to[toOffset + i] = from[fromOffset + i]} for i in [0, length). */
  public static void fromBf16(float[] to, int toOffset, short[] from, int fromOffset, int length) {
    for (int i = 0; i < length; i++) {
      to[toOffset + i] = fromBf16(from[fromOffset + i]);
    }
  }

  /** {@code to[toOffset + i]} = nearest bf16 of {@code from[fromOffset + i]} for i in [0, length). */
  public static void toBf16(short[] to, int toOffset, float[] from, int fromOffset, int length) {
    for (int i = 0; i < length; i++) {
      to[toOffset + i] = toBf16(from[fromOffset + i]);
    }
  }
}
