package org.diffusionrpo.bench.kernels;

import java.util.Arrays;
import java.util.Random;

/** Parameters of the kernel benchmarks. */
final class Shapes {
  private Shapes() {}

  /** {@code "2x4096x320"} as numbers. */
  static int[] parse(String shape) {
    return Arrays.stream(shape.split("x")).mapToInt(Integer::parseInt).toArray();
  }

  static float[] gaussian(long seed, int n) {
    Random random = new Random(seed);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }
}
