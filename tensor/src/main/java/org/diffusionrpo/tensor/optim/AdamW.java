package org.diffusionrpo.tensor.optim;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Parameter;

/**
 * Adam with decoupled weight decay, as torch.optim.AdamW. Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2.
 */
public final class AdamW implements Optimizer {
  private final Options options;
  private final List<Parameter> parameters;
  private final Map<String, Tensor> state = new LinkedHashMap<>();
  private int steps;

  /** torch's and diffusers' defaults are {@code (0.9, 0.999, 1e-8, 1e-2)}. */
  public record Options(double beta1, double beta2, double eps, double weightDecay) {
    public static final Options DEFAULT = new Options(0.9, 0.999, 1e-8, 1e-2);
  }

  public AdamW(Collection<Parameter> parameters, Options options) {
    this.options = options;
    this.parameters = parameters.stream().filter(p -> !p.isFrozen()).toList();
    for (Parameter parameter : this.parameters) {
      state.put(first(parameter), zerosLike(parameter));
      state.put(second(parameter), zerosLike(parameter));
    }
  }

  @Override
  public void step(double lr) {
    steps++;
    Backend.AdamWStep step = new Backend.AdamWStep(lr, options.beta1, options.beta2, options.eps,
        options.weightDecay, 1 - StrictMath.pow(options.beta1, steps), 1 - StrictMath.pow(options.beta2, steps));
    for (Parameter parameter : parameters) {
      parameter.value().backend().adamW(parameter.value(), parameter.grad(), state.get(first(parameter)),
          state.get(second(parameter)), step);
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

  private static String first(Parameter parameter) {
    return parameter.name() + ".exp_avg";
  }

  private static String second(Parameter parameter) {
    return parameter.name() + ".exp_avg_sq";
  }

  private static Tensor zerosLike(Parameter parameter) {
    Backend backend = parameter.value().backend();
    try (MemoryScope scope = backend.scope()) {
      return backend.zeros(parameter.shape()).share();
    }
  }
}
