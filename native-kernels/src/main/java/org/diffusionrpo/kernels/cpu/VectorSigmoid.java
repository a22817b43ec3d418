package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link FloatFunctions#sigmoid} on vectors with equal bits. A loop makes its own one before it begins: then the
 * compiler keeps the constants in registers; those of a static field would be loaded again after every store.
 */
final class VectorSigmoid {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  private final FloatVector one = FloatVector.broadcast(F, 1f);
  private final IntVector vanished = FloatVector.broadcast(F, FloatFunctions.EXP_VANISHED).reinterpretAsInts();
  private final IntVector infinite = FloatVector.broadcast(F, FloatFunctions.EXP_INFINITE).reinterpretAsInts();
  private final FloatVector log2e = FloatVector.broadcast(F, FloatFunctions.LOG2_E);
  private final FloatVector log2eLow = FloatVector.broadcast(F, FloatFunctions.LOG2_E_LOW);
  private final FloatVector rounder = FloatVector.broadcast(F, FloatFunctions.ROUNDER);
  private final FloatVector b1 = FloatVector.broadcast(F, FloatFunctions.B1);
  private final FloatVector b2 = FloatVector.broadcast(F, FloatFunctions.B2);
  private final FloatVector b3 = FloatVector.broadcast(F, FloatFunctions.B3);
  private final FloatVector b4 = FloatVector.broadcast(F, FloatFunctions.B4);
  private final FloatVector b5 = FloatVector.broadcast(F, FloatFunctions.B5);
  private final FloatVector b6 = FloatVector.broadcast(F, FloatFunctions.B6);

  FloatVector of(FloatVector x) {
    FloatVector z = atMost(atMost(x, vanished).neg(), infinite);
    FloatVector rounded = z.fma(log2e, rounder);
    FloatVector r = z.fma(log2eLow, z.fma(log2e, rounder.sub(rounded)));
    FloatVector p = r.fma(r.fma(r.fma(r.fma(r.fma(r.fma(b6, b5), b4), b3), b2), b1), one);
    FloatVector exp = p.mul(rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, FloatFunctions.EXPONENT_SHIFT)
        .reinterpretAsFloats());
    return one.div(exp.add(one));
  }

  /** The slope of SiLU, s (1 + x (1 - s)), from s = sigmoid(x). */
  FloatVector siluSlope(FloatVector x, FloatVector s) {
    return s.mul(x.fma(one.sub(s), one));
  }

  private static FloatVector atMost(FloatVector x, IntVector boundBits) {
    return x.reinterpretAsInts().min(boundBits).reinterpretAsFloats();
  }
}
