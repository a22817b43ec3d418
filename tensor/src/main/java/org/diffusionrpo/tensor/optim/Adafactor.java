package org.diffusionrpo.tensor.optim;

import java.util.Collection;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.nn.Parameter;

/**
 * Adafactor with an external learning rate, as transformers' with {@code scale_parameter=False, relative_step=False}:
 * its state is a small fraction of the weights. Shazeer and Stern 2018, arXiv:1804.04235.
 */
public final class Adafactor extends Optimizer {
  private static final String ROWS = ".exp_avg_sq_row";
  private static final String COLUMNS = ".exp_avg_sq_col";

  private final double weightDecay;

  public Adafactor(Collection<Parameter> parameters, double weightDecay) {
    super(parameters);
    this.weightDecay = weightDecay;
    for (Parameter parameter : parameters()) {
      Shape shape = parameter.shape();
      switch (shape.rank()) {
        case 2 -> {
          addState(parameter, ROWS, Shape.of(shape.dim(0)));
          addState(parameter, COLUMNS, Shape.of(shape.dim(1)));
        }
        case 4 -> {
          addState(parameter, ROWS, Shape.of(shape.dim(0), shape.dim(1), shape.dim(3)));
          addState(parameter, COLUMNS, Shape.of(shape.dim(0), shape.dim(2), shape.dim(3)));
        }
        default -> addState(parameter, ROWS, shape);
      }
    }
  }

  @Override
  void update(Parameter parameter, double lr, int k) {
    parameter.value().backend().adafactor(parameter.value(), parameter.grad(), state(parameter, ROWS),
        state(parameter, COLUMNS), new Backend.AdafactorStep(k, lr, weightDecay));
  }
}
