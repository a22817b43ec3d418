package org.diffusionrpo.tensor.nn;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.Shape;

/**
 * All parameters of a model by name, in order of creation. Layers make theirs through a {@link Path}, which spells the
 * checkpoint's dotted names. Linear layers and convolutions are also known by their path, as places for adapters.
 */
public final class Parameters implements AutoCloseable {
  private final Map<String, Parameter> byName = new LinkedHashMap<>();
  private final Map<String, AdapterSlot> slots = new LinkedHashMap<>();

  /** Where the names begin: no prefix. */
  public Path root() {
    return new Path("");
  }

  public Collection<Parameter> all() {
    return Collections.unmodifiableCollection(byName.values());
  }

  /** The parameter of that name. */
  public Parameter get(String name) {
    Parameter parameter = byName.get(name);
    if (parameter == null) {
      throw new IllegalArgumentException("the model has no parameter " + name);
    }
    return parameter;
  }

  public boolean contains(String name) {
    return byName.containsKey(name);
  }

  /** Where adapters can be put, by the path of the layer, e.g. {@code mid_block.attentions.0.proj_in}. */
  public Map<String, AdapterSlot> slots() {
    return Collections.unmodifiableMap(slots);
  }

  /** Number of values in all parameters together. */
  public long count() {
    return byName.values().stream().mapToLong(p -> p.shape().size()).sum();
  }

  /** Gives every parameter its starting value: a function of the seed and the parameter's name alone. */
  public void initialize(Backend backend, long seed) {
    for (Parameter parameter : all()) {
      float[] values = new float[parameter.shape().size()];
      parameter.init().fill(values, Philox.stream(seed, "init/" + parameter.name(), 0));
      parameter.set(backend, values, Storage.F32);
    }
  }

  /** Copies all values of a model with the same names and shapes. */
  public void copyFrom(Parameters other, Storage storage) {
    for (Parameter parameter : all()) {
      Parameter source = other.get(parameter.name());
      parameter.set(source.value().backend(), source.value().toArray(), storage);
    }
  }

  public void unfreeze() {
    all().forEach(Parameter::unfreeze);
  }

  public void freeze() {
    all().forEach(Parameter::freeze);
  }

  /** Sets all gradients to zero. */
  public void zeroGrad() {
    for (Parameter parameter : all()) {
      if (!parameter.isFrozen()) {
        parameter.grad().backend().fill(parameter.grad(), 0f);
      }
    }
  }

  @Override
  public void close() {
    all().forEach(Parameter::close);
  }

  /** A position in the tree of names. */
  public final class Path {
    private final String prefix;

    private Path(String prefix) {
      this.prefix = prefix;
    }

    /** One level down: {@code path.at("conv1")}; {@code path.at("resnets", 0)} is {@code resnets.0}. */
    public Path at(String child) {
      return new Path(prefix + child + ".");
    }

    public Path at(String child, int index) {
      return at(child + "." + index);
    }

    /** Declares a parameter; its value comes later, from a file or from {@code init}. */
    public Parameter create(String name, Shape shape, Init init) {
      return add(new Parameter(prefix + name, shape, init, false));
    }

    /** Declares the weight of a linear layer or a convolution. */
    public Parameter matrix(String name, Shape shape, Init init) {
      return add(new Parameter(prefix + name, shape, init, true));
    }

    /** The adapter slot of the layer at this position; a null geometry means a linear layer. */
    AdapterSlot slot(Parameter weight, Conv2dGeometry geometry) {
      AdapterSlot slot = new AdapterSlot(weight, geometry);
      slots.put(prefix.isEmpty() ? prefix : prefix.substring(0, prefix.length() - 1), slot);
      return slot;
    }

    private Parameter add(Parameter parameter) {
      if (byName.putIfAbsent(parameter.name(), parameter) != null) {
        throw new IllegalStateException("parameter " + parameter.name() + " is declared twice");
      }
      return parameter;
    }
  }
}
