package org.diffusionrpo.diffusion.unet;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.ConditionedLayer;
import org.diffusionrpo.tensor.nn.LayerNorm;
import org.diffusionrpo.tensor.nn.Linear;
import org.diffusionrpo.tensor.nn.MultiHeadAttention;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Pre-norm transformer block over pixels, with the text as context; names as in diffusers.
 * <pre>
 *   x, y [N, T, C]     context [N, L, X]
 *   a = x + attn1(norm1(x));   b = a + attn2(norm2(a), context);   y = b + ff(norm3(b))
 * </pre>
 */
final class BasicTransformerBlock implements ConditionedLayer {
  private static final float EPS = 1e-5f;

  private final LayerNorm norm1;
  private final MultiHeadAttention attn1;
  private final LayerNorm norm2;
  private final MultiHeadAttention attn2;
  private final LayerNorm norm3;
  private final FeedForward feedForward;

  BasicTransformerBlock(Parameters.Path path, int channels, int contextChannels, int heads) {
    this.norm1 = new LayerNorm(path.at("norm1"), channels, EPS);
    this.attn1 = attention(path.at("attn1"), channels, channels, heads);
    this.norm2 = new LayerNorm(path.at("norm2"), channels, EPS);
    this.attn2 = attention(path.at("attn2"), channels, contextChannels, heads);
    this.norm3 = new LayerNorm(path.at("norm3"), channels, EPS);
    this.feedForward = new FeedForward(path.at("ff"), channels);
  }

  @Override
  public Tensor forward(Tensor x, Tensor context, Tape tape) {
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor a = attn1.forward(norm1.forward(x, tape), tape);
      backend.addTo(a, x);
      Tensor b = attn2.forward(norm2.forward(a, tape), context, tape);
      backend.addTo(b, a);
      Tensor y = feedForward.forward(norm3.forward(b, tape), tape);
      backend.addTo(y, b);
      return scope.keep(y);
    }
  }

  @Override
  public Tensor backward(Tensor dy, Tensor dContext, Tape tape) {
    Backend backend = dy.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor db = norm3.backward(feedForward.backward(dy, tape), tape);
      backend.addTo(db, dy);
      Tensor da = norm2.backward(attn2.backward(db, dContext, tape), tape);
      backend.addTo(da, db);
      Tensor dx = norm1.backward(attn1.backward(da, tape), tape);
      backend.addTo(dx, da);
      return scope.keep(dx);
    }
  }

  private static MultiHeadAttention attention(Parameters.Path path, int channels, int contextChannels, int heads) {
    return new MultiHeadAttention(
        new Linear(path.at("to_q"), channels, channels, false),
        new Linear(path.at("to_k"), contextChannels, channels, false),
        new Linear(path.at("to_v"), contextChannels, channels, false),
        new Linear(path.at("to_out", 0), channels, channels, true), heads, false);
  }
}
