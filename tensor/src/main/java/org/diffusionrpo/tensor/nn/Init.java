package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Philox;

/** How a parameter starts when it is not loaded. */
@FunctionalInterface
public interface Init {
  Init ZEROS = (values, random) -> {};

  Init ONES = (values, random) -> java.util.Arrays.fill(values, 1f);

  void fill(float[] values, Philox random);

  /** Uniform in +-1/sqrt(fanIn): PyTorch's default for the weights and biases of linear and convolution layers. */
  static Init fanIn(int fanIn) {
    float bound = (float) (1 / Math.sqrt(fanIn));
    return (values, random) -> random.fillUniform(values, -bound, bound);
  }

  /** Normal with mean 0. */
  static Init normal(float std) {
    return (values, random) -> {
      random.fillGaussian(values);
      for (int i = 0; i < values.length; i++) {
        values[i] *= std;
      }
    };
  }
}
