package org.diffusionrpo.diffusion.clip;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/** Picks one token of each sequence: a lookup in the activations, taken as an embedding table. */
final class Rows {
  private Rows() {}

  /** {@code y[n] = x as [N * T, C] at rows[n]}. */
  static Tensor gather(Tensor x, int[] rows) {
    Backend backend = x.backend();
    Tensor y = backend.empty(Shape.of(rows.length, x.dim(2)));
    backend.embeddingForward(y, x.reshape(x.dim(0) * x.dim(1), x.dim(2)), rows);
    return y;
  }

  /** The gradient of x [N, T, C]: zero but at the picked rows. */
  static Tensor scatter(Tensor dy, int[] rows, int samples, int tokens) {
    Backend backend = dy.backend();
    Tensor dx = backend.zeros(Shape.of(samples * tokens, dy.dim(1)));
    backend.embeddingBackward(dx, dy, rows);
    return dx.reshape(samples, tokens, dy.dim(1));
  }
}
