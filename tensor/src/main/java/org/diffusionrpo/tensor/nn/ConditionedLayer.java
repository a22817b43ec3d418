package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Tensor;

/**
 * A differentiable function of x and of a condition that many layers share: the time embedding of a residual block,
 * the text of a transformer block. Null where there is none.
 */
public interface ConditionedLayer {
  Tensor forward(Tensor x, Tensor condition, Tape tape);

  /** Returns dx; adds to {@code dCondition} unless it is null. */
  Tensor backward(Tensor dy, Tensor dCondition, Tape tape);
}
