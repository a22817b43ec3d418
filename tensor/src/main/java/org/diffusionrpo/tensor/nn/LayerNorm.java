package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * Layer normalisation over the last axis. Ba, Kiros and Hinton 2016, arXiv:1607.06450, equation 4.
 * <pre>
 *   x, y [..., C]     gamma, beta [C]     mean, rstd [rows], kept for backward
 *   y = (x - mean) * rstd * gamma + beta,   rstd = 1 / sqrt(var + eps), var biased
 * </pre>
 */
public final class LayerNorm implements Layer {
  private final float eps;
  private final Parameter gamma;
  private final Parameter beta;

  public LayerNorm(Parameters.Path path, int channels, float eps) {
    this.eps = eps;
    this.gamma = path.create("weight", Shape.of(channels), Init.ONES);
    this.beta = path.create("bias", Shape.of(channels), Init.ZEROS);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    Backend backend = x.backend();
    Tensor y = backend.empty(x.shape());
    Tensor mean = backend.empty(Shape.of(x.shape().sizeBefore(-1)));
    Tensor rstd = backend.empty(mean.shape());
    backend.layerNormForward(y, mean, rstd, x, gamma.value(), beta.value(), eps);
    tape.push(this, x, mean, rstd);
    return y;
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    try (Tape.Frame saved = tape.pop(this)) {
      Tensor x = saved.get(0);
      Tensor dx = dy.backend().empty(x.shape());
      dy.backend().layerNormBackward(dx, gamma.grad(), beta.grad(), dy, x, gamma.value(), saved.get(1), saved.get(2));
      return dx;
    }
  }
}
