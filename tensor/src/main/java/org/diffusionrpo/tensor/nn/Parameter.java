package org.diffusionrpo.tensor.nn;

import java.io.IOException;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * A named weight that lives as long as its model, with a gradient of the same shape unless it is frozen.
 * Convolution weights are {@code [O, Kh, Kw, I]}, linear weights {@code [O, I]}.
 */
public final class Parameter implements AutoCloseable {
  private final String name;
  private final Shape shape;
  private final Init init;
  private final boolean matrix;
  private Tensor value;
  private Tensor grad;

  Parameter(String name, Shape shape, Init init, boolean matrix) {
    this.name = name;
    this.shape = shape;
    this.init = init;
    this.matrix = matrix;
  }

  /** The full dotted name as in the checkpoint, for example {@code down_blocks.0.resnets.1.conv1.weight}. */
  public String name() {
    return name;
  }

  public Shape shape() {
    return shape;
  }

  Init init() {
    return init;
  }

  public Tensor value() {
    if (value == null) {
      throw new IllegalStateException("parameter " + name + " has no value yet: load or initialise the model first");
    }
    return value;
  }

  public boolean hasValue() {
    return value != null;
  }

  /** The gradient, to which backward adds; null while the parameter is frozen. */
  public Tensor grad() {
    return grad;
  }

  public boolean isFrozen() {
    return grad == null;
  }

  /** True for the weights of linear layers and convolutions, which may be stored in half precision. */
  public boolean isMatrix() {
    return matrix;
  }

  /** Sets the value from host values, rounded to {@code storage}; the old value is released. */
  public void set(Backend backend, float[] values, Storage storage) {
    requireFitting(storage);
    if (value != null && storage == Storage.F32 && value.storage() == storage) {
      backend.write(value, values);
      return;
    }
    Tensor fresh = ownedByModel(backend, () -> backend.of(shape, values, storage));
    if (value != null) {
      value.close();
    }
    value = fresh;
  }

  /** Writes all values of a tensor, piece by piece. */
  @FunctionalInterface
  public interface Filler {
    void fill(Tensor value) throws IOException;
  }

  /**
   * Sets the value by filling its final storage in place, so that a large weight is never in memory twice. An old value
   * of another storage is released before; if the filler throws, the values are undefined.
   */
  public void fill(Backend backend, Storage storage, Filler filler) throws IOException {
    requireFitting(storage);
    if (value != null && value.storage() != storage) {
      value.close();
      value = null;
    }
    if (value == null) {
      value = ownedByModel(backend, () -> backend.empty(shape, storage));
    }
    filler.fill(value);
  }

  /** Gives the parameter a zero gradient, so that it is trained. */
  public void unfreeze() {
    if (value().storage() != Storage.F32) {
      throw new IllegalStateException(name + " is stored as " + value.storage() + " and cannot be trained");
    }
    if (grad == null) {
      grad = ownedByModel(value.backend(), () -> value.backend().zeros(shape));
    }
  }

  public void freeze() {
    if (grad != null) {
      grad.close();
      grad = null;
    }
  }

  @Override
  public void close() {
    freeze();
    if (value != null) {
      value.close();
      value = null;
    }
  }

  private void requireFitting(Storage storage) {
    if (storage != Storage.F32 && !isFrozen()) {
      throw new IllegalArgumentException(name + ": only frozen parameters can be stored as " + storage);
    }
  }

  private static Tensor ownedByModel(Backend backend, java.util.function.Supplier<Tensor> make) {
    try (MemoryScope scope = backend.scope()) {
      return make.get().share();
    }
  }
}
