package org.diffusionrpo.kernels.cpu;

/**
 * exp, the logistic function and the normal distribution in float, from adds, multiplies, fused multiply-adds and one
 * division. The JDK's vector transcendentals change bits when the compiler takes over in mid-run; these never do, and
 * {@code VectorFunctions} repeats them lane by lane with equal bits.
 *
 * <p>The polynomials are our own minimax fits of the relative error.
 */
final class FloatFunctions {
  static final float LOG2_E = 1.442695041f;
  /** ln 2 in two parts; the first has so few bits that its product with an exponent is exact. */
  static final float LN2_HIGH = 0x1.62ep-1f;
  static final float LN2_LOW = (float) (0.693147180559945309 - 0x1.62ep-1);
  /**
   * Adding 1.5 * 2^23 rounds to an integer n, which then stands in the low bits of the float. With 126 more, and
   * shifted left, they are the bits of 2^(n-1), or of 0 for n = -126. One less than n, because n reaches 128.
   */
  static final float ROUNDER = 0x1.8p23f + 126;
  static final int EXPONENT_SHIFT = 23;
  /** Below it exp is 0 (the true value is under 1.8e-38); above the other it is infinite. */
  static final float EXP_LOWEST = -87.5f;
  static final float EXP_HIGHEST = 88.73f;
  /** exp(r) = 1 + r + r^2 (E2 + E3 r + ...) for |r| <= ln(2) / 2; relative error 3e-9. */
  static final float E2 = 0.49999994f;
  static final float E3 = 0.1666652f;
  static final float E4 = 0.041668393f;
  static final float E5 = 0.008368781f;
  static final float E6 = 0.0013814467f;

  private static final int ONE_BITS = 0x3f800000;
  /** From the bits of sqrt(2) to those of 2. */
  private static final int HALF_OCTAVE = 0x40000000 - 0x3fb504f3;
  static final double LN2 = 0.693147180559945309;
  /** As {@link #ROUNDER}; results stay below 2^128, so that the bits are those of 2^n itself. */
  static final float EXP2_ROUNDER = 0x1.8p23f + 127;
  /** Below it 2^x is 0 (the true value is under 1e-38). */
  static final float EXP2_LOWEST = -127;
  /** 2^r = 1 + B1 r + ... + B6 r^6 for |r| <= 1/2: the coefficients of exp times powers of ln 2. */
  static final float B1 = (float) LN2;
  static final float B2 = (float) (E2 * LN2 * LN2);
  static final float B3 = (float) (E3 * LN2 * LN2 * LN2);
  static final float B4 = (float) (E4 * LN2 * LN2 * LN2 * LN2);
  static final float B5 = (float) (E5 * LN2 * LN2 * LN2 * LN2 * LN2);
  static final float B6 = (float) (E6 * LN2 * LN2 * LN2 * LN2 * LN2 * LN2);

  /** Phi(-a) = exp(-a^2 / 2) t (T0 + T1 t + ...), t = 1 / (1 + 0.35 a), for 0 <= a <= 14; relative error 3e-8. */
  static final float TAIL_SLOPE = 0.35f;
  static final float TAIL_END = 14f;
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

  /** Relative error below 2e-7. */
  static float exp(float x) {
    float bounded = Math.min(Math.max(x, EXP_LOWEST), EXP_HIGHEST);
    float rounded = Math.fma(bounded, LOG2_E, ROUNDER);
    float n = rounded - ROUNDER;
    float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, bounded));
    float q = Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, E6, E5), E4), E3), E2);
    float p = Math.fma(r * r, q, r + 1);
    float half = p * Float.intBitsToFloat(Float.floatToRawIntBits(rounded) << EXPONENT_SHIFT);
    return half + half;
  }

  /** 2^x for x up to 127; above it the result means nothing. Relative error below 2e-7. */
  static float exp2(float x) {
    float bounded = Math.max(x, EXP2_LOWEST);
    float rounded = bounded + EXP2_ROUNDER;
    float r = bounded - (rounded - EXP2_ROUNDER);
    float q = Math.fma(r, Math.fma(r, Math.fma(r, Math.fma(r, B6, B5), B4), B3), B2);
    float p = Math.fma(r, Math.fma(r, q, B1), 1);
    return p * Float.intBitsToFloat(Float.floatToRawIntBits(rounded) << EXPONENT_SHIFT);
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

  /** 1 / (1 + exp(-x)). */
  static float sigmoid(float x) {
    return 1 / (1 + exp(-x));
  }

  /** exp(-a^2 / 2) with the rounding error of a^2 put back, without which the result at a = 13 is off by 4e-6. */
  static float gaussian(float a) {
    float square = a * a;
    float lost = Math.fma(a, a, -square);
    return exp(-0.5f * square) * Math.fma(lost, -0.5f, 1);
  }

  /** Phi(-a) for 0 <= a <= 14, {@code gaussian} being exp(-a^2 / 2). */
  static float normalTail(float a, float gaussian) {
    float t = 1 / Math.fma(a, TAIL_SLOPE, 1);
    float p = Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, T8, T7), T6), T5), T4);
    p = Math.fma(t, Math.fma(t, Math.fma(t, Math.fma(t, p, T3), T2), T1), T0);
    return gaussian * t * p;
  }

  /** The normal distribution function Phi(x) = (1 + erf(x / sqrt(2))) / 2; relative error below 1e-6. */
  static float normal(float x) {
    float a = Math.min(Math.abs(x), TAIL_END);
    float tail = normalTail(a, gaussian(a));
    return x < 0 ? tail : 1 - tail;
  }
}
