package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.FloatFunctions.*;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** The functions of {@link FloatFunctions} on vectors: each lane gets the bits that the float version returns. */
final class VectorFunctions {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  private VectorFunctions() {}

  static FloatVector exp(FloatVector x) {
    FloatVector bounded = x.max(EXP_LOWEST).min(EXP_HIGHEST);
    FloatVector rounder = FloatVector.broadcast(F, ROUNDER);
    FloatVector rounded = bounded.fma(FloatVector.broadcast(F, LOG2_E), rounder);
    FloatVector n = rounded.sub(rounder);
    FloatVector r = n.fma(FloatVector.broadcast(F, -LN2_HIGH), bounded);
    r = n.fma(FloatVector.broadcast(F, -LN2_LOW), r);
    FloatVector q = r.fma(FloatVector.broadcast(F, E6), FloatVector.broadcast(F, E5));
    q = r.fma(q, FloatVector.broadcast(F, E4));
    q = r.fma(q, FloatVector.broadcast(F, E3));
    q = r.fma(q, FloatVector.broadcast(F, E2));
    FloatVector p = r.mul(r).fma(q, r.add(1f));
    FloatVector half = rounded.reinterpretAsInts().add(126).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    FloatVector scaled = p.mul(half);
    return scaled.add(scaled);
  }

  static FloatVector sigmoid(FloatVector x) {
    FloatVector one = FloatVector.broadcast(F, 1f);
    return one.div(exp(x.neg()).add(one));
  }

  /** |x|, at most 14, where the tail has vanished. */
  static FloatVector magnitude(FloatVector x) {
    return x.abs().min(TAIL_END);
  }

  static FloatVector gaussian(FloatVector a) {
    FloatVector square = a.mul(a);
    FloatVector lost = a.fma(a, square.neg());
    FloatVector correction = lost.fma(FloatVector.broadcast(F, -0.5f), FloatVector.broadcast(F, 1f));
    return exp(square.mul(-0.5f)).mul(correction);
  }

  static FloatVector normalTail(FloatVector a, FloatVector gaussian) {
    FloatVector one = FloatVector.broadcast(F, 1f);
    FloatVector t = one.div(a.fma(FloatVector.broadcast(F, TAIL_SLOPE), one));
    FloatVector p = t.fma(FloatVector.broadcast(F, T8), FloatVector.broadcast(F, T7));
    p = t.fma(p, FloatVector.broadcast(F, T6));
    p = t.fma(p, FloatVector.broadcast(F, T5));
    p = t.fma(p, FloatVector.broadcast(F, T4));
    p = t.fma(p, FloatVector.broadcast(F, T3));
    p = t.fma(p, FloatVector.broadcast(F, T2));
    p = t.fma(p, FloatVector.broadcast(F, T1));
    p = t.fma(p, FloatVector.broadcast(F, T0));
    return gaussian.mul(t).mul(p);
  }

  static FloatVector normal(FloatVector x) {
    FloatVector a = magnitude(x);
    return side(x, normalTail(a, gaussian(a)));
  }

  static FloatVector geluSlope(FloatVector x) {
    FloatVector a = magnitude(x);
    FloatVector gaussian = gaussian(a);
    return x.fma(gaussian.mul(INVERSE_SQRT_2PI), side(x, normalTail(a, gaussian)));
  }

  /** Phi(x) from the tail beyond |x|. */
  static FloatVector side(FloatVector x, FloatVector tail) {
    return FloatVector.broadcast(F, 1f).sub(tail).blend(tail, x.compare(VectorOperators.LT, 0f));
  }
}
