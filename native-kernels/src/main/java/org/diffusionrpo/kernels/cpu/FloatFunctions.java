package org.diffusionrpo.kernels.cpu;

/**
 * exp, the logistic function and the normal distribution in float, from adds, multiplies, fused multiply-adds and one
 * division. The JDK's vector transcendentals change bits when the compiler takes over in mid-run; these never do, and
 * {@code VectorFunctions} repeats them lane by lane with equal bits.
 *
 * <p>The polynomials are our own minimax fits of the relative error.
 */
final class FloatFunctions {
  static final int EXPONENT_SHIFT = 23;
  static final float LOG2_E = 1.442695041f;
  /** What the rounding of log2 e took away. */
  static final float LOG2_E_LOW = (float) (1.4426950408889634 - LOG2_E);
  /** At its negative exp is 0 (the true value is under 1e-38). */
  static final float EXP_VANISHED = 88f;
  /** Here exp is infinite (the true value is above 2^127.5). */
  static final float EXP_INFINITE = 88.5f;

  private static final int ONE_BITS = 0x3f800000;
  /** From the bits of sqrt(2) to those of 2. */
  private static final int HALF_OCTAVE = 0x40000000 - 0x3fb504f3;
  static final double LN2 = 0.693147180559945309;
  /**
   * Adding 1.5 * 2^23 rounds to an integer n, which then stands in the low bits of the float. With 127 more, and
   * shifted left, they are the bits of 2^n, of 0 for n = -127 and of infinity for n = 128.
   */
  static final float ROUNDER = 0x1.8p23f + 127;
  /** Below it 2^x is 0 (the true value is under 1e-38). */
  static final float EXP2_LOWEST = -127;
  /** 2^r = 1 + B1 r + ... + B6 r^6 for |r| <= 1/2; relative error 3e-9. The numbers are for powers of r ln 2. */
  static final float B1 = (float) LN2;
  static final float B2 = (float) (0.49999994f * LN2 * LN2);
  static final float B3 = (float) (0.1666652f * LN2 * LN2 * LN2);
  static final float B4 = (float) (0.041668393f * LN2 * LN2 * LN2 * LN2);
  static final float B5 = (float) (0.008368781f * LN2 * LN2 * LN2 * LN2 * LN2);
  static final float B6 = (float) (0.0013814467f * LN2 * LN2 * LN2 * LN2 * LN2 * LN2);

  /** Phi(-a) = exp(-a^2 / 2) t (T0 + T1 t + ...), t = 1 / (1 + 0.35 a), for 0 <= a < 13.2; relative error 3e-8. */
  static final float TAIL_SLOPE = 0.35f;
  /** Here the computed tail is 0, as exp(-a^2 / 2) is. */
  static final float TAIL_END = 13.25f;
  static final float T0 = 0.1396214068f;
  static final float T1 = 0.1398618668f;
  static final float T2 = 0.1198328584f;
  static final float T3 = 0.1055080444f;
  static final float T4 = -0.0231099147f;
  static final float T5 = 0.1591742486f;
  static final float T6 = -0.2557142973f;
  static final float T7 = 0.1439713985f;
  static final float T8 = -0.0291459318f;

  static final float INVERSE_SQRT_2PI = 0.3989422804f;

  private FloatFunctions() {}

  /** For x from -88, where it is 0, to 88.5, where it is infinite. Relative error below 2e-7. */
  static float exp(float x) {
    float rounded = Math.fma(x, LOG2_E, ROUNDER);
    float r = Math.fma(x, LOG2_E_LOW, Math.fma(x, LOG2_E, ROUNDER - rounded));
    return power(r, rounded);
  }

  /** 2^x for x up to 127; above it the result means nothing. Relative error below 2e-7. */
  static float exp2(float x) {
    float bounded = Math.max(x, EXP2_LOWEST);
    float rounded = bounded + ROUNDER;
    return power(bounded - (rounded - ROUNDER), rounded);
  }

  /** 2^(n + r), n being {@code rounded - ROUNDER}. */
  private static float power(float r, float rounded) {
    float q = Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, B6, B5), B4), B3), B2);
    float p = Math.fma(r, Math.fma(r, q, B1), 1);
    return p * Float.intBitsToFloat(Float.floatToRawIntBits(rounded) << EXPONENT_SHIFT);
  }

  /**
   * The lesser of x and a positive bound, found by comparing bits as integers, which takes a vector one instruction.
   * NaN counts as large.
   */
  static float atMost(float x, float bound) {
    return Float.intBitsToFloat(Math.min(Float.floatToRawIntBits(x), Float.floatToRawIntBits(bound)));
  }

  /** log2 of a normal positive number; absolute error below 1e-9. */
  static double log2(float x) {
    int bits = Float.floatToRawIntBits(x) - ONE_BITS;
    int n = (bits + HALF_OCTAVE) >> EXPONENT_SHIFT; // x = 2^n m with m from 1/sqrt(2) to sqrt(2)
    double m = Float.intBitsToFloat(bits - (n << EXPONENT_SHIFT) + ONE_BITS);
    double z = (m - 1) / (m + 1);
    double z2 = z * z;
    double series = 1 + z2 * (1 / 3.0 + z2 * (1 / 5.0 + z2 * (1 / 7.0 + z2 * (1 / 9.0 + z2 * (1 / 11.0)))));
    return n + 2 / LN2 * z * series; // ln m = 2 atanh z
  }

  /** 1 / (1 + exp(-x)); 1 for NaN. */
  static float sigmoid(float x) {
    return 1 / (exp(atMost(-atMost(x, EXP_VANISHED), EXP_INFINITE)) + 1);
  }

  /** exp(-a^2 / 2) with the rounding error of a^2 put back, without which the result at a = 13 is off by 4e-6. */
  static float gaussian(float a) {
    float square = a * a;
    float lost = Math.fma(a, a, -square);
    return exp(-0.5f * square) * Math.fma(lost, -0.5f, 1);
  }

  /** Phi(-a) for 0 <= a <= 13.25, {@code gaussian} being exp(-a^2 / 2). */
  static float normalTail(float a, float gaussian) {
    float t = 1 / Math.fma(a, TAIL_SLOPE, 1);
    float p = Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, T8, T7), T6), T5), T4);
    p = Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, p, T3), T2), T1), T0);
    return gaussian * t * p;
  }

  /** The normal distribution function Phi(x) = (1 + erf(x / sqrt(2))) / 2; relative error below 1e-6. */
  static float normal(float x) {
    float a = atMost(Math.abs(x), TAIL_END);
    float tail = normalTail(a, gaussian(a));
    return x < 0 ? tail : 1 - tail;
  }
}
