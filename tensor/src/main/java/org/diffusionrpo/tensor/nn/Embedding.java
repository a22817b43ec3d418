package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * A table of rows. Ids come from the host and have no gradient, so backward needs them again instead of a tape.
 * <pre>
 *   weight [V, C]     ids, N * T of them     y [N, T, C]
 * </pre>
 */
public final class Embedding {
  private final Parameter weight;

  public Embedding(Parameters.Path path, int rows, int columns, float std) {
    this.weight = path.create("weight", Shape.of(rows, columns), Init.normal(std));
  }

  /** {@code ids} holds {@code samples} sequences of equal length, one after the other. */
  public Tensor forward(Backend backend, int[] ids, int samples) {
    Tensor y = backend.empty(Shape.of(samples, ids.length / samples, weight.shape().dim(1)));
    backend.embeddingForward(y, weight.value(), ids);
    return y;
  }

  public void backward(Tensor dy, int[] ids) {
    dy.backend().embeddingBackward(weight.grad(), dy, ids);
  }
}
