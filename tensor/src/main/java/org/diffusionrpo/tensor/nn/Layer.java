package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Tensor;

/**
 * A differentiable function of one tensor. A layer holds settings and {@link Parameter}s; what its backward needs goes
 * on the {@link Tape}, so one layer can run many passes at a time.
 *
 * <p>The one rule for gradients: {@code dx} is returned and fresh; gradients of parameters, and those that several
 * layers share, are passed in or held by the parameter and are added to.
 */
public interface Layer {
  /** Computes y; the result belongs to the innermost scope. */
  Tensor forward(Tensor x, Tape tape);

  /** Returns dx for dy, the gradient of y, and adds to the gradients of the parameters that are not frozen. */
  Tensor backward(Tensor dy, Tape tape);
}
