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
 * Adafactor with an external learning rate, as transformers' with {@code scale_parameter=False, relative_step=False}:
 * its state is a small fraction of the weights. Shazeer and Stern 2018, arXiv:1804.04235.
 */
public final class Adafactor implements Optimizer {
  private final double weightDecay;
  private final List<Parameter> parameters;
  private final Map<String, Tensor> state = new LinkedHashMap<>();
  private int steps;

  public Adafactor(Collection<Parameter> parameters, double weightDecay) {
    this.weightDecay = weightDecay;
    this.parameters = parameters.stream().filter(p -> !p.isFrozen()).toList();
    for (Parameter parameter : this.parameters) {
      Shape shape = parameter.shape();
      Backend backend = parameter.value().backend();
      switch (shape.rank()) {
        case 2 -> {
          state.put(rows(parameter), zeros(backend, Shape.of(shape.dim(0))));
          state.put(columns(parameter), zeros(backend, Shape.of(shape.dim(1))));
        }
        case 4 -> {
          state.put(rows(parameter), zeros(backend, Shape.of(shape.dim(0), shape.dim(1), shape.dim(3))));
          state.put(columns(parameter), zeros(backend, Shape.of(shape.dim(0), shape.dim(2), shape.dim(3))));
        }
        default -> state.put(rows(parameter), zeros(backend, shape));
      }
    }
  }

  @Override
  public void step(double lr) {
    steps++;
    Backend.AdafactorStep step = new Backend.AdafactorStep(steps, lr, weightDecay);
    for (Parameter parameter : parameters) {
      parameter.value().backend().adafactor(parameter.value(), parameter.grad(), state.get(rows(parameter)),
          state.get(columns(parameter)), step);
    }
  }

  @Override
  public int steps() {
    return steps;
  }

  @Override
  public Map<String, Tensor> state() {
    return state;
  }

  @Override
  public void resume(int steps) {
    this.steps = steps;
  }

  @Override
  public void close() {
    state.values().forEach(Tensor::close);
  }

  private static String rows(Parameter parameter) {
    return parameter.name() + ".exp_avg_sq_row";
  }

  private static String columns(Parameter parameter) {
    return parameter.name() + ".exp_avg_sq_col";
  }

  private static Tensor zeros(Backend backend, Shape shape) {
    try (MemoryScope scope = backend.scope()) {
      return backend.zeros(shape).share();
    }
  }
}
