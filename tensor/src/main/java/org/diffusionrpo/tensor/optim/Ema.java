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
 * Exponential moving average of the weights, with the warm-up of diffusers' EMAModel: the first update copies the
 * weights, and at update t = 2, 3, ... the decay is {@code min(decay, t / (9 + t))}.
 */
public final class Ema implements AutoCloseable {
  private final double decay;
  private final List<Parameter> parameters;
  private final Map<String, Tensor> averages = new LinkedHashMap<>();

  /** Starts at the present weights. */
  public Ema(Collection<Parameter> parameters, double decay) {
    if (!(decay >= 0 && decay < 1)) {
      throw new IllegalArgumentException("EMA decay " + decay + ": expected a number from 0 to below 1");
    }
    this.decay = decay;
    this.parameters = parameters.stream().filter(p -> !p.isFrozen()).toList();
    try {
      for (Parameter parameter : this.parameters) {
        averages.put(parameter.name(), copy(parameter.value()));
      }
    } catch (RuntimeException | Error e) { // too little memory, most likely
      close();
      throw e;
    }
  }

  /** Moves the averages towards the weights after update t = 1, 2, ... */
  public void update(int t) {
    float weight = t <= 1 ? 1 : (float) (1 - Math.min(decay, t / (9.0 + t)));
    for (Parameter parameter : parameters) {
      parameter.value().backend().lerp(averages.get(parameter.name()), parameter.value(), weight);
    }
  }

  /** The averages by parameter name. */
  public Map<String, Tensor> averages() {
    return averages;
  }

  /** Exchanges weights and averages; calling it again restores both. */
  public void swap() {
    for (Parameter parameter : parameters) {
      Backend backend = parameter.value().backend();
      try (MemoryScope scope = backend.scope()) {
        Tensor average = averages.get(parameter.name());
        Tensor held = backend.empty(average.shape());
        backend.copy(held, average);
        backend.copy(average, parameter.value());
        backend.copy(parameter.value(), held);
      }
    }
  }

  @Override
  public void close() {
    averages.values().forEach(Tensor::close);
  }

  private static Tensor copy(Tensor x) {
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor y = backend.empty(x.shape());
      backend.copy(y, x);
      return y.share();
    }
  }
}
