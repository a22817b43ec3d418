package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.Tensor;

/**
 * The place in a linear layer or convolution where a {@link LowRankAdapter} can be put; found by the layer's dotted
 * path among {@link Parameters#slots}. The layer's own weights must be frozen while it holds one.
 */
public final class AdapterSlot {
  private final Parameter weight;
  private final Conv2dGeometry geometry;
  private LowRankAdapter adapter;

  /** @param geometry of a convolution; null for a linear layer */
  AdapterSlot(Parameter weight, Conv2dGeometry geometry) {
    this.weight = weight;
    this.geometry = geometry;
  }

  /** The layer's weight. */
  public Parameter weight() {
    return weight;
  }

  /**
   * Puts in a new adapter, which must be initialised or filled before the layer is used.
   *
   * @param path where the adapter declares A and B
   * @param scale alpha / rank
   */
  public LowRankAdapter attach(Parameters.Path path, int rank, float scale) {
    if (adapter != null) {
      throw new IllegalStateException(weight.name() + " has an adapter already");
    }
    if (!weight.isFrozen()) {
      throw new IllegalStateException(weight.name() + " is trained itself: freeze it before adding an adapter");
    }
    adapter = new LowRankAdapter(path, weight.shape(), geometry, rank, scale);
    return adapter;
  }

  /** Takes the adapter out, if there is one; its parameters stay with their owner. */
  public void detach() {
    adapter = null;
  }

  /** What the layer computes with, the adapter included whether it is switched on or off, as one weight. */
  public float[] merged() {
    return adapter == null ? weight.value().toArray() : adapter.merged(weight);
  }

  void forward(Tensor y, Tensor x, Tape tape) {
    if (isActive()) {
      adapter.forward(y, x, tape);
    }
  }

  /** The adapter's part of dx; null without an active adapter. Forward ran it last, so it comes first here. */
  Tensor backward(Tensor dy, Tape tape) {
    return isActive() ? adapter.backward(dy, tape) : null;
  }

  private boolean isActive() {
    return adapter != null && adapter.isEnabled();
  }
}
