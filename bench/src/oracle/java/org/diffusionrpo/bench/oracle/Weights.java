package org.diffusionrpo.bench.oracle;

import org.bytedeco.pytorch.Tensor;

/** Where a network on libtorch takes its parameters from. */
@FunctionalInterface
interface Weights {
  /**
   * A parameter by the name it has in checkpoints.
   *
   * @param shape what the network expects, in PyTorch's layout
   */
  Tensor get(String name, long... shape);
}
