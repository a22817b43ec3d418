package org.diffusionrpo.tensor.optim;

import java.util.Collection;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.nn.Parameter;

/**
 * Adam with decoupled weight decay, as torch.optim.AdamW. Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2.
 */
public final class AdamW extends Optimizer {
  private static final String FIRST_MOMENT = ".exp_avg";
  private static final String SECOND_MOMENT = ".exp_avg_sq";

  private final Options options;

  /** torch's and diffusers' defaults are {@code (0.9, 0.999, 1e-8, 1e-2)}. */
  public record Options(double beta1, double beta2, double eps, double weightDecay) {
    public static final Options DEFAULT = new Options(0.9, 0.999, 1e-8, 1e-2);
  }

  public AdamW(Collection<Parameter> parameters, Options options) {
    super(parameters);
    this.options = options;
    for (Parameter parameter : parameters()) {
      addState(parameter, FIRST_MOMENT, parameter.shape());
      addState(parameter, SECOND_MOMENT, parameter.shape());
    }
  }

  @Override
  void update(Parameter parameter, double lr, int k) {
    Backend.AdamWStep step = new Backend.AdamWStep(lr, options.beta1, options.beta2, options.eps,
        options.weightDecay, 1 - StrictMath.pow(options.beta1, k), 1 - StrictMath.pow(options.beta2, k));
    parameter.value().backend().adamW(parameter.value(), parameter.grad(), state(parameter, FIRST_MOMENT),
        state(parameter, SECOND_MOMENT), step);
  }
}
