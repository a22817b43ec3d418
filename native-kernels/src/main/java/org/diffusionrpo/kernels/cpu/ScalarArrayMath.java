package org.diffusionrpo.kernels.cpu;

/** Plain Java. */
final class ScalarArrayMath implements ArrayMath {
  @Override
  public int lanes() {
    return 1;
  }
}
