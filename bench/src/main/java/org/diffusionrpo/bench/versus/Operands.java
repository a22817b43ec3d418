package org.diffusionrpo.bench.versus;

import org.diffusionrpo.tensor.Philox;

/** Random operands from a fixed seed. */
final class Operands {
  private static final long SEED = 1;

  private Operands() {}

  /** Gaussian numbers of standard deviation 1, other ones for another name. */
  static float[] random(String name, int length) {
    float[] values = new float[length];
    Philox.stream(SEED, name, 0).fillGaussian(values);
    return values;
  }
}
