package org.diffusionrpo.tensor.optim;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Parameter;

/**
 * Updates those of a model's parameters that are not frozen, from their gradients. A kind of optimizer says which
 * state tensors a parameter has and how one parameter moves; the rest is here.
 */
public abstract class Optimizer implements AutoCloseable {
  private final List<Parameter> parameters;
  private final Map<String, Tensor> state = new LinkedHashMap<>();
  private int steps;

  Optimizer(Collection<Parameter> parameters) {
    this.parameters = parameters.stream().filter(parameter -> !parameter.isFrozen()).toList();
  }

  /** One update with this learning rate; the gradients are left as they are. */
  public final void step(double lr) {
    steps++;
    for (Parameter parameter : parameters) {
      update(parameter, lr, steps);
    }
  }

  /** Updates so far. */
  public final int steps() {
    return steps;
  }

  /** Everything but {@link #steps} that the next update depends on, by a name that stays the same between runs. */
  public final Map<String, Tensor> state() {
    return state;
  }

  /** Continues after {@code steps} updates; the tensors of {@link #state} must have been written before. */
  public final void resume(int steps) {
    this.steps = steps;
  }

  @Override
  public final void close() {
    state.values().forEach(Tensor::close);
  }

  /** @param k number of this update, counted from 1 */
  abstract void update(Parameter parameter, double lr, int k);

  final List<Parameter> parameters() {
    return parameters;
  }

  /** Adds a state tensor of zeros; {@code kind} ends its name. */
  final void addState(Parameter parameter, String kind, Shape shape) {
    Backend backend = parameter.value().backend();
    try (MemoryScope scope = backend.scope()) {
      state.put(parameter.name() + kind, backend.zeros(shape).share());
    } catch (RuntimeException | Error e) { // too little memory, most likely
      close();
      throw e;
    }
  }

  /** A state tensor; null if the parameter has none of that kind. */
  final Tensor state(Parameter parameter, String kind) {
    return state.get(parameter.name() + kind);
  }
}
