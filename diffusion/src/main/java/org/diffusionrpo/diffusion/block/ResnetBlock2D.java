package org.diffusionrpo.diffusion.block;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.ConditionedLayer;
import org.diffusionrpo.tensor.nn.Conv2d;
import org.diffusionrpo.tensor.nn.GroupNorm;
import org.diffusionrpo.tensor.nn.Linear;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Residual block of UNet and VAE. He et al. 2015, arXiv:1512.03385; names as in diffusers.
 * <pre>
 *   x [N, H, W, I]   time [N, T] = silu(time embedding), absent in the VAE   y [N, H, W, O]
 *   y = shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x))) + time_emb_proj(time))))
 * </pre>
 * The shortcut is a 1 x 1 convolution when I and O differ, else the identity.
 */
public final class ResnetBlock2D implements ConditionedLayer {
  private final GroupNorm norm1;
  private final Conv2d conv1;
  private final Linear timeProjection;
  private final GroupNorm norm2;
  private final Conv2d conv2;
  private final Conv2d shortcut;

  /** @param timeChannels length of the time embedding; 0 for a block without one */
  public ResnetBlock2D(Parameters.Path path, int in, int out, int timeChannels, int groups, float eps) {
    this.norm1 = GroupNorm.withSilu(path.at("norm1"), groups, in, eps);
    this.conv1 = Conv2d.same3x3(path.at("conv1"), in, out);
    this.timeProjection = timeChannels == 0 ? null : new Linear(path.at("time_emb_proj"), timeChannels, out, true);
    this.norm2 = GroupNorm.withSilu(path.at("norm2"), groups, out, eps);
    this.conv2 = Conv2d.same3x3(path.at("conv2"), out, out);
    this.shortcut = in == out ? null : Conv2d.pointwise(path.at("conv_shortcut"), in, out);
  }

  @Override
  public Tensor forward(Tensor x, Tensor time, Tape tape) {
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor h = norm1.forward(x, tape);
      h = Consume.forward(conv1, h, tape);
      if (timeProjection != null) {
        backend.addPerSample(h, h, timeProjection.forward(time, tape));
      }
      h = Consume.forward(norm2, h, tape);
      h = Consume.forward(conv2, h, tape);
      backend.addTo(h, shortcut == null ? x : shortcut.forward(x, tape));
      return scope.keep(h);
    }
  }

  @Override
  public Tensor backward(Tensor dy, Tensor dTime, Tape tape) {
    Backend backend = dy.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor dx = shortcut == null ? dy : shortcut.backward(dy, tape);
      Tensor dh = conv2.backward(dy, tape);
      dh = Consume.backward(norm2, dh, tape);
      if (timeProjection != null) {
        Tensor dProjected = backend.zeros(Shape.of(dh.dim(0), dh.dim(3)));
        backend.sumPositions(dProjected, dh);
        if (dTime == null) {
          timeProjection.backwardParameters(dProjected, tape);
        } else {
          backend.addTo(dTime, timeProjection.backward(dProjected, tape));
        }
      }
      dh = Consume.backward(conv1, dh, tape);
      dh = Consume.backward(norm1, dh, tape);
      backend.addTo(dh, dx);
      return scope.keep(dh);
    }
  }
}
