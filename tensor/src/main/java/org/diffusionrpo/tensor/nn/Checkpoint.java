package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;

/**
 * Activation checkpointing: forward keeps only the inputs, backward runs forward again on a tape of its own.
 * Gradients are bit-identical; time grows by one forward pass. Chen et al. 2016, arXiv:1604.06174.
 */
public final class Checkpoint implements ConditionedLayer {
  private final ConditionedLayer inner;

  public Checkpoint(ConditionedLayer inner) {
    this.inner = inner;
  }

  @Override
  public Tensor forward(Tensor x, Tensor condition, Tape tape) {
    Tensor y = inner.forward(x, condition, Tape.NONE);
    if (condition == null) {
      tape.push(this, x);
    } else {
      tape.push(this, x, condition);
    }
    return y;
  }

  @Override
  public Tensor backward(Tensor dy, Tensor dCondition, Tape tape) {
    try (Tape.Frame saved = tape.pop(this); Tape again = new Tape(); MemoryScope scope = dy.backend().scope()) {
      Tensor condition = saved.size() > 1 ? saved.get(1) : null;
      inner.forward(saved.get(0), condition, again).close();
      return scope.keep(inner.backward(dy, dCondition, again));
    }
  }
}
