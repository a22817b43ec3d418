package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;

/** Vector API. */
final class VectorArrayMath implements ArrayMath {
  @Override
  public int lanes() {
    return FloatVector.SPECIES_PREFERRED.length();
  }
}
