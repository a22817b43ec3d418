package org.diffusionrpo.diffusion.block;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Conv2d;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Nearest-neighbour resize, then a 3 x 3 convolution; {@code upsamplers.0} in diffusers.
 * <pre>
 *   x [N, H, W, C]     y [N, Ho, Wo, C], twice as large unless the skip connection needs another size
 * </pre>
 */
public final class Upsample2D {
  private final Conv2d conv;

  public Upsample2D(Parameters.Path path, int channels) {
    this.conv = Conv2d.same3x3(path.at("conv"), channels, channels);
  }

  /** As a plain layer that always doubles height and width. */
  public static Layer doubling(Parameters.Path path, int channels) {
    Upsample2D upsample = new Upsample2D(path, channels);
    return new Layer() {
      @Override
      public Tensor forward(Tensor x, Tape tape) {
        return upsample.forward(x, 2 * x.dim(1), 2 * x.dim(2), tape);
      }

      @Override
      public Tensor backward(Tensor dy, Tape tape) {
        return upsample.backward(dy, tape);
      }
    };
  }

  public Tensor forward(Tensor x, int height, int width, Tape tape) {
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      tape.push(this, x.shape());
      Tensor large = backend.empty(Shape.of(x.dim(0), height, width, x.dim(3)));
      backend.upsampleNearestForward(large, x);
      return scope.keep(conv.forward(large, tape));
    }
  }

  public Tensor backward(Tensor dy, Tape tape) {
    Backend backend = dy.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor dLarge = conv.backward(dy, tape);
      try (Tape.Frame saved = tape.pop(this)) {
        Tensor dx = backend.empty(saved.shape());
        backend.upsampleNearestBackward(dx, dLarge);
        return scope.keep(dx);
      }
    }
  }
}
