package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * Affine map of the last axis, as torch.nn.Linear.
 * <pre>
 *   x [..., I]   y [..., O]   weight [O, I]   bias [O], optional
 *   y = x weight^T + bias
 * </pre>
 * Takes a {@link LowRankAdapter}.
 */
public final class Linear implements Layer {
  private final Parameter weight;
  private final Parameter bias;
  private final AdapterSlot slot;

  public Linear(Parameters.Path path, int in, int out, boolean withBias) {
    this.weight = path.matrix("weight", Shape.of(out, in), Init.fanIn(in));
    this.bias = withBias ? path.create("bias", Shape.of(out), Init.fanIn(in)) : null;
    this.slot = path.slot(weight, null);
  }

  /** Of parameters that are declared already; takes no adapter. */
  Linear(Parameter weight, Parameter bias) {
    this.weight = weight;
    this.bias = bias;
    this.slot = new AdapterSlot(weight, null);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    Tensor y = x.backend().empty(x.shape().withLast(weight.shape().dim(0)));
    x.backend().linearForward(y, x, weight.value(), bias == null ? null : bias.value());
    save(x, tape);
    slot.forward(y, x, tape);
    return y;
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    Tensor ofAdapter = slot.backward(dy, tape);
    try (Tape.Frame saved = tape.pop(this)) {
      addWeightGradients(dy, saved);
      Tensor dx = dy.backend().empty(saved.shape());
      dy.backend().linearBackwardData(dx, dy, weight.value());
      if (ofAdapter != null) {
        dy.backend().addTo(dx, ofAdapter);
        ofAdapter.close();
      }
      return dx;
    }
  }

  /** Backward for an input whose gradient nobody wants. */
  public void backwardParameters(Tensor dy, Tape tape) {
    Tensor ofAdapter = slot.backward(dy, tape);
    if (ofAdapter != null) {
      ofAdapter.close();
    }
    try (Tape.Frame saved = tape.pop(this)) {
      addWeightGradients(dy, saved);
    }
  }

  /** Only weight gradients need x itself, so a frozen layer does not hold it back. */
  private void save(Tensor x, Tape tape) {
    if (isFrozen()) {
      tape.push(this, x.shape());
    } else {
      tape.push(this, x);
    }
  }

  private void addWeightGradients(Tensor dy, Tape.Frame saved) {
    if (!isFrozen()) {
      dy.backend().linearBackwardWeight(weight.grad(), bias == null ? null : bias.grad(), dy, saved.get(0));
    }
  }

  private boolean isFrozen() {
    return weight.isFrozen() && (bias == null || bias.isFrozen());
  }
}
