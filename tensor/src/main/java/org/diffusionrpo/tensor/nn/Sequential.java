package org.diffusionrpo.tensor.nn;

import java.util.List;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;

/** Layers one after the other. Each result in between is given up as soon as the next layer has used it. */
public final class Sequential implements Layer {
  private final List<Layer> layers;

  public Sequential(List<Layer> layers) {
    this.layers = List.copyOf(layers);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    try (MemoryScope scope = x.backend().scope()) {
      Tensor h = x;
      for (Layer layer : layers) {
        Tensor next = layer.forward(h, tape);
        closeUnless(h == x, h);
        h = next;
      }
      return scope.keep(h);
    }
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    try (MemoryScope scope = dy.backend().scope()) {
      Tensor dh = dy;
      for (int i = layers.size() - 1; i >= 0; i--) {
        Tensor next = layers.get(i).backward(dh, tape);
        closeUnless(dh == dy, dh);
        dh = next;
      }
      return scope.keep(dh);
    }
  }

  private static void closeUnless(boolean callers, Tensor tensor) {
    if (!callers) {
      tensor.close();
    }
  }
}
