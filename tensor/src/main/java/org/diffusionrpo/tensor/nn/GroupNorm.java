package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * Group normalisation of NHWC activations. Wu and He 2018, arXiv:1803.08494, section 3.1.
 * <pre>
 *   x, y [N, ..., C]     gamma, beta [C]     mean, rstd [N, G], kept for backward
 *   y = (x - mean) * rstd * gamma + beta,   rstd = 1 / sqrt(var + eps)
 * </pre>
 * mean and var (biased) run over all positions and the C / G channels of one group.
 * {@link #withSilu} gives silu(y), and keeps the normalised tensor neither in memory nor on the tape.
 */
public final class GroupNorm implements Layer {
  private final int groups;
  private final float eps;
  private final Parameter gamma;
  private final Parameter beta;
  private final boolean silu;

  public GroupNorm(Parameters.Path path, int groups, int channels, float eps) {
    this(path, groups, channels, eps, false);
  }

  /** A group norm followed by SiLU. */
  public static GroupNorm withSilu(Parameters.Path path, int groups, int channels, float eps) {
    return new GroupNorm(path, groups, channels, eps, true);
  }

  private GroupNorm(Parameters.Path path, int groups, int channels, float eps, boolean silu) {
    if (channels % groups != 0) {
      throw new IllegalArgumentException("GroupNorm: " + groups + " groups do not divide " + channels + " channels");
    }
    this.groups = groups;
    this.eps = eps;
    this.silu = silu;
    this.gamma = path.create("weight", Shape.of(channels), Init.ONES);
    this.beta = path.create("bias", Shape.of(channels), Init.ZEROS);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    Backend backend = x.backend();
    Tensor y = backend.empty(x.shape());
    Tensor mean = backend.empty(Shape.of(x.dim(0), groups));
    Tensor rstd = backend.empty(mean.shape());
    if (silu) {
      backend.groupNormSiluForward(y, mean, rstd, x, gamma.value(), beta.value(), groups, eps);
    } else {
      backend.groupNormForward(y, mean, rstd, x, gamma.value(), beta.value(), groups, eps);
    }
    tape.push(this, x, mean, rstd);
    return y;
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    try (Tape.Frame saved = tape.pop(this)) {
      Backend backend = dy.backend();
      Tensor x = saved.get(0);
      Tensor mean = saved.get(1);
      Tensor rstd = saved.get(2);
      Tensor dx = backend.empty(x.shape());
      if (silu) {
        backend.groupNormSiluBackward(dx, gamma.grad(), beta.grad(), dy, x, gamma.value(), beta.value(), mean, rstd,
            groups);
      } else {
        backend.groupNormBackward(dx, gamma.grad(), beta.grad(), dy, x, gamma.value(), mean, rstd, groups);
      }
      return dx;
    }
  }
}
