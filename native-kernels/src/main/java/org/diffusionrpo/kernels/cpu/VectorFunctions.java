package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The functions of {@link FloatFunctions} on vectors: each lane gets the bits that the float version returns. The
 * constants are broadcast once: the compiler would inline each broadcast as a tree of calls, and give up on inlining
 * (and so on keeping vectors in registers) in the middle of a long formula.
 */
final class VectorFunctions {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  private static final FloatVector ZERO = FloatVector.zero(F);
  private static final FloatVector ONE = constant(1);
  private static final FloatVector MINUS_HALF = constant(-0.5f);
  private static final FloatVector LOG2_E = constant(FloatFunctions.LOG2_E);
  private static final FloatVector LOG2_E_LOW = constant(FloatFunctions.LOG2_E_LOW);
  private static final FloatVector ROUNDER = constant(FloatFunctions.ROUNDER);
  private static final FloatVector EXP2_LOWEST = constant(FloatFunctions.EXP2_LOWEST);
  private static final FloatVector B1 = constant(FloatFunctions.B1);
  private static final FloatVector B2 = constant(FloatFunctions.B2);
  private static final FloatVector B3 = constant(FloatFunctions.B3);
  private static final FloatVector B4 = constant(FloatFunctions.B4);
  private static final FloatVector B5 = constant(FloatFunctions.B5);
  private static final FloatVector B6 = constant(FloatFunctions.B6);
  private static final FloatVector TAIL_SLOPE = constant(FloatFunctions.TAIL_SLOPE);
  private static final IntVector TAIL_END = bits(FloatFunctions.TAIL_END);
  private static final FloatVector T0 = constant(FloatFunctions.T0);
  private static final FloatVector T1 = constant(FloatFunctions.T1);
  private static final FloatVector T2 = constant(FloatFunctions.T2);
  private static final FloatVector T3 = constant(FloatFunctions.T3);
  private static final FloatVector T4 = constant(FloatFunctions.T4);
  private static final FloatVector T5 = constant(FloatFunctions.T5);
  private static final FloatVector T6 = constant(FloatFunctions.T6);
  private static final FloatVector T7 = constant(FloatFunctions.T7);
  private static final FloatVector T8 = constant(FloatFunctions.T8);
  private static final FloatVector INVERSE_SQRT_2PI = constant(FloatFunctions.INVERSE_SQRT_2PI);

  private VectorFunctions() {}

  /** For x from -88 to 88.5. */
  private static FloatVector exp(FloatVector x) {
    FloatVector rounded = x.fma(LOG2_E, ROUNDER);
    return power(x.fma(LOG2_E_LOW, x.fma(LOG2_E, ROUNDER.sub(rounded))), rounded);
  }

  /** 2^x for x up to 127; above it the result means nothing. */
  static FloatVector exp2(FloatVector x) {
    FloatVector bounded = greater(x, EXP2_LOWEST);
    FloatVector rounded = bounded.add(ROUNDER);
    return power(bounded.sub(rounded.sub(ROUNDER)), rounded);
  }

  private static FloatVector power(FloatVector r, FloatVector rounded) {
    FloatVector q = r.fma(r.fma(r.fma(r.fma(B6, B5), B4), B3), B2);
    FloatVector p = r.fma(r.fma(q, B1), ONE);
    return p.mul(rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, FloatFunctions.EXPONENT_SHIFT)
        .reinterpretAsFloats());
  }

  /**
   * The greater of two numbers, x where it is NaN. The JDK's max would also order NaN and the two zeros, for which it
   * takes three times as many instructions.
   */
  static FloatVector greater(FloatVector x, FloatVector y) {
    return x.blend(y, x.compare(VectorOperators.LT, y));
  }

  private static FloatVector atMost(FloatVector x, IntVector boundBits) {
    return x.reinterpretAsInts().min(boundBits).reinterpretAsFloats();
  }

  /** |x|, at most 13.25, where the tail has vanished. */
  static FloatVector magnitude(FloatVector x) {
    return atMost(x.abs(), TAIL_END);
  }

  static FloatVector gaussian(FloatVector a) {
    FloatVector square = a.mul(a);
    FloatVector lost = a.fma(a, square.neg());
    return exp(square.mul(MINUS_HALF)).mul(lost.fma(MINUS_HALF, ONE));
  }

  static FloatVector normalTail(FloatVector a, FloatVector gaussian) {
    FloatVector t = ONE.div(a.fma(TAIL_SLOPE, ONE));
    FloatVector p = t.fma(t.fma(t.fma(t.fma(T8, T7), T6), T5), T4);
    p = t.fma(t.fma(t.fma(t.fma(p, T3), T2), T1), T0);
    return gaussian.mul(t).mul(p);
  }

  /** Phi(x) from the tail beyond |x|. */
  static FloatVector normal(FloatVector x, FloatVector tail) {
    return ONE.sub(tail).blend(tail, x.compare(VectorOperators.LT, ZERO));
  }

  static FloatVector normal(FloatVector x) {
    FloatVector a = magnitude(x);
    return normal(x, normalTail(a, gaussian(a)));
  }

  /** phi(x) from exp(-x^2 / 2). */
  static FloatVector density(FloatVector gaussian) {
    return gaussian.mul(INVERSE_SQRT_2PI);
  }

  private static IntVector bits(float value) {
    return constant(value).reinterpretAsInts();
  }

  private static FloatVector constant(float value) {
    return FloatVector.broadcast(F, value);
  }
}
