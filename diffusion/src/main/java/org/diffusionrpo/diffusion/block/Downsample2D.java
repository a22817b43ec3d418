package org.diffusionrpo.diffusion.block;

import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Conv2d;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * 3 x 3 convolution with stride 2; {@code downsamplers.0} in diffusers.
 * <pre>
 *   x [N, H, W, C]     y [N, H / 2, W / 2, C], odd sizes rounded up by the UNet's, down by the VAE's
 * </pre>
 */
public final class Downsample2D implements Layer {
  private final Conv2d conv;

  private Downsample2D(Parameters.Path path, int channels, Conv2dGeometry geometry) {
    this.conv = new Conv2d(path.at("conv"), channels, channels, 3, geometry, true);
  }

  /** The UNet's: one row of zeros on each side. */
  public static Downsample2D padded(Parameters.Path path, int channels) {
    return new Downsample2D(path, channels, Conv2dGeometry.of(2, 1));
  }

  /** The VAE encoder's: zeros only below and to the right. */
  public static Downsample2D paddedAtEnd(Parameters.Path path, int channels) {
    return new Downsample2D(path, channels, new Conv2dGeometry(2, 0, 0, 1, 1));
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    return conv.forward(x, tape);
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    return conv.backward(dy, tape);
  }
}
