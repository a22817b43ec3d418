package org.diffusionrpo.tensor.optim;

import java.util.Collection;
import java.util.List;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Parameter;

/** Operations on the gradients of a whole model. */
public final class Gradients {
  private Gradients() {}

  /** L2 norm over all parameters that are not frozen; NaN or infinite when any element is. */
  public static double norm(Collection<Parameter> parameters) {
    List<Tensor> grads = parameters.stream().filter(parameter -> !parameter.isFrozen()).map(Parameter::grad).toList();
    return grads.isEmpty() ? 0 : Math.sqrt(grads.get(0).backend().sumOfSquares(grads));
  }

  /** Scales all gradients by {@code maxNorm / norm} when norm is above; as torch's clip_grad_norm_. */
  public static void clip(Collection<Parameter> parameters, double norm, double maxNorm) {
    if (norm > maxNorm) {
      scale(parameters, (float) (maxNorm / (norm + 1e-6)));
    }
  }

  public static void scale(Collection<Parameter> parameters, float factor) {
    for (Parameter parameter : parameters) {
      if (!parameter.isFrozen()) {
        Tensor grad = parameter.grad();
        grad.backend().scale(grad, grad, factor);
      }
    }
  }
}
