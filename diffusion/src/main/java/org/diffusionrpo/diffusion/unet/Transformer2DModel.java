package org.diffusionrpo.diffusion.unet;

import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.ConditionedLayer;
import org.diffusionrpo.tensor.nn.Conv2d;
import org.diffusionrpo.tensor.nn.GroupNorm;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Linear;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Transformer over the pixels of an image, with a residual around it; names as in diffusers.
 * <pre>
 *   x, y [N, H, W, C]     context [N, L, X]
 *   y = x + proj_out(blocks(proj_in(norm(x)), context))
 * </pre>
 * proj_in and proj_out are 1 x 1 convolutions in SD 1.5 and linear layers in SDXL: the same arithmetic.
 */
final class Transformer2DModel implements ConditionedLayer {
  /** Fixed in diffusers, whatever the config's norm_eps. */
  private static final float EPS = 1e-6f;

  private final GroupNorm norm;
  private final boolean linear;
  private final Layer projIn;
  private final List<BasicTransformerBlock> blocks = new ArrayList<>();
  private final Layer projOut;

  Transformer2DModel(Parameters.Path path, int channels, int contextChannels, int heads, int depth, int groups,
      boolean linear) {
    this.linear = linear;
    this.norm = new GroupNorm(path.at("norm"), groups, channels, EPS);
    this.projIn = projection(path.at("proj_in"), channels);
    for (int k = 0; k < depth; k++) {
      blocks.add(new BasicTransformerBlock(path.at("transformer_blocks", k), channels, contextChannels, heads));
    }
    this.projOut = projection(path.at("proj_out"), channels);
  }

  @Override
  public Tensor forward(Tensor x, Tensor context, Tape tape) {
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor h = tokens(projIn.forward(norm.forward(x, tape), tape));
      for (BasicTransformerBlock block : blocks) {
        h = block.forward(h, context, tape);
      }
      Tensor y = projOut.forward(pixels(h, x), tape);
      backend.addTo(y, x);
      return scope.keep(y);
    }
  }

  @Override
  public Tensor backward(Tensor dy, Tensor dContext, Tape tape) {
    Backend backend = dy.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor dh = tokens(projOut.backward(dy, tape));
      for (int k = blocks.size() - 1; k >= 0; k--) {
        dh = blocks.get(k).backward(dh, dContext, tape);
      }
      Tensor dx = norm.backward(projIn.backward(pixels(dh, dy), tape), tape);
      backend.addTo(dx, dy);
      return scope.keep(dx);
    }
  }

  private Layer projection(Parameters.Path path, int channels) {
    return linear ? new Linear(path, channels, channels, true) : Conv2d.pointwise(path, channels, channels);
  }

  private static Tensor tokens(Tensor image) {
    return image.reshape(image.dim(0), image.dim(1) * image.dim(2), image.dim(3));
  }

  private static Tensor pixels(Tensor tokens, Tensor like) {
    return tokens.reshape(like.dim(0), like.dim(1), like.dim(2), like.dim(3));
  }
}
