package org.diffusionrpo.tensor;

import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import org.diffusionrpo.tensor.nn.ConditionedLayer;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Compares backward with central differences of {@code L = sum(y * r)}, r random: with r all ones a norm without scale
 * has no gradient at all and every mistake would pass. Parameters must have been unfrozen, and should not start at
 * their ones and zeros ({@link TestTensors#randomize}), which hide mistakes too.
 */
public final class GradientCheck {
  /** Change of a variable of about size 1. Smaller ones drown in the rounding of float sums. */
  public static final float EPSILON = 1e-2f;

  /** Right code gives 1e-5 to 4e-5 on small layers; a variance divided by n - 1 instead of n gives 4e-3. */
  public static final double TOLERANCE = 1e-3;

  /** Gradients below this part of the largest one are measured against that part: some are zero in theory. */
  private static final double SMALLEST = 1e-2;

  private GradientCheck() {}

  /** The gradient that is worst and its error: worst difference / largest element. */
  public record Worst(String gradient, double error) {
    public boolean isTolerable() {
      return error < TOLERANCE;
    }
  }

  /** Checks every element of dx and of the gradients of the parameters. */
  public static Worst worstError(Layer layer, Collection<Parameter> parameters, Tensor x) {
    return worstOfElements(parameters, Map.of("x", x), tape -> layer.forward(x, tape),
        (dy, tape) -> Map.of("x", layer.backward(dy, tape)));
  }

  /** The same, with every element of the condition's gradient, which must be added to what is there. */
  public static Worst worstError(ConditionedLayer layer, Collection<Parameter> parameters, Tensor x, Tensor condition) {
    return worstOfElements(parameters, Map.of("x", x, "condition", condition),
        tape -> layer.forward(x, condition, tape), (dy, tape) -> {
          Tensor dCondition = x.backend().zeros(condition.shape());
          return Map.of("x", layer.backward(dy, dCondition, tape), "condition", dCondition);
        });
  }

  /** Backward of dy; returns the gradients of the inputs by name. */
  private interface Backward {
    Map<String, Tensor> run(Tensor dy, Tape tape);
  }

  private static Worst worstOfElements(Collection<Parameter> parameters, Map<String, Tensor> inputs,
      Function<Tape, Tensor> forward, Backward backward) {
    Map<String, Tensor> variables = new LinkedHashMap<>(inputs);
    parameters.forEach(parameter -> variables.put(parameter.name(), parameter.value()));
    Backend backend = inputs.values().iterator().next().backend();
    zero(parameters);
    Map<String, double[]> gradients = new LinkedHashMap<>();
    float[] r;
    try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
      Tensor dy = TestTensors.gaussian(backend, 99, forward.apply(tape).shape().toArray());
      r = dy.toArray();
      backward.run(dy, tape).forEach((name, dx) -> gradients.put(name, TestTensors.doubles(dx)));
      if (!tape.isEmpty()) {
        throw new AssertionError("backward left frames on the tape");
      }
    }
    parameters.forEach(parameter -> gradients.put(parameter.name(), TestTensors.doubles(parameter.grad())));
    DoubleSupplier loss = () -> {
      try (MemoryScope scope = backend.scope()) {
        double[] y = TestTensors.doubles(forward.apply(Tape.NONE));
        double sum = 0;
        for (int i = 0; i < r.length; i++) {
          sum += y[i] * r[i];
        }
        return sum;
      }
    };
    double largestOfAll = gradients.values().stream().mapToDouble(GradientCheck::largest).max().orElseThrow();
    return variables.keySet().stream().map(name -> {
      double[] gradient = gradients.get(name);
      double size = Math.max(largest(gradient), SMALLEST * largestOfAll);
      return new Worst(name, worstDifference(variables.get(name), gradient, loss) / size);
    }).reduce(GradientCheck::worse).orElseThrow();
  }

  private static double worstDifference(Tensor variable, double[] gradient, DoubleSupplier loss) {
    float[] values = variable.toArray();
    double worst = 0;
    for (int i = 0; i < values.length; i++) {
      float value = values[i];
      values[i] = value + EPSILON;
      double up = values[i];
      variable.backend().write(variable, values);
      double lossUp = loss.getAsDouble();
      values[i] = value - EPSILON;
      double down = values[i];
      variable.backend().write(variable, values);
      double slope = (lossUp - loss.getAsDouble()) / (up - down);
      values[i] = value;
      worst = Math.max(worst, Math.abs(slope - gradient[i]));
    }
    variable.backend().write(variable, values);
    return worst;
  }

  /**
   * For blocks and models: one random direction d for each parameter, {@code <gradient, d>} against the slope of the
   * loss along d. Errors are relative to the length that the product has on average, ||gradient|| * rms(d).
   *
   * @param loss runs forward and returns a number
   * @param backward runs forward and backward of the same number, adding to the parameters' gradients
   */
  public static Worst worstDirection(Collection<Parameter> parameters, DoubleSupplier loss, Runnable backward,
      long seed) {
    zero(parameters);
    backward.run();
    Map<Parameter, double[]> gradients = new LinkedHashMap<>();
    parameters.forEach(parameter -> gradients.put(parameter, TestTensors.doubles(parameter.grad())));
    Map<Parameter, float[]> directions = new LinkedHashMap<>();
    parameters.forEach(parameter -> directions.put(parameter, direction(parameter, seed)));
    double longest = parameters.stream().mapToDouble(p -> norm(gradients.get(p)) * rms(directions.get(p))).max()
        .orElseThrow();
    return parameters.stream().map(parameter -> {
      double[] gradient = gradients.get(parameter);
      float[] direction = directions.get(parameter);
      double expected = 0;
      for (int i = 0; i < gradient.length; i++) {
        expected += gradient[i] * direction[i];
      }
      double size = Math.max(norm(gradient) * rms(direction), SMALLEST * longest);
      return new Worst(parameter.name(), Math.abs(slope(parameter.value(), direction, loss) - expected) / size);
    }).reduce(GradientCheck::worse).orElseThrow();
  }

  /** As long as the parameter itself, so that a step of EPSILON changes it by one part in a hundred. */
  private static float[] direction(Parameter parameter, long seed) {
    float size = (float) Math.max(rms(parameter.value().toArray()), 1e-2);
    float[] direction = new float[parameter.shape().size()];
    Philox.stream(seed, "direction/" + parameter.name(), 0).fillGaussian(direction);
    for (int i = 0; i < direction.length; i++) {
      direction[i] *= size;
    }
    return direction;
  }

  private static double slope(Tensor variable, float[] direction, DoubleSupplier loss) {
    float[] values = variable.toArray();
    double[] losses = new double[2];
    for (int side = 0; side < 2; side++) {
      float[] moved = new float[values.length];
      for (int i = 0; i < moved.length; i++) {
        moved[i] = values[i] + (side == 0 ? -EPSILON : EPSILON) * direction[i];
      }
      variable.backend().write(variable, moved);
      losses[side] = loss.getAsDouble();
    }
    variable.backend().write(variable, values);
    return (losses[1] - losses[0]) / (2.0 * EPSILON);
  }

  private static void zero(Collection<Parameter> parameters) {
    for (Parameter parameter : parameters) {
      parameter.grad().backend().fill(parameter.grad(), 0);
    }
  }

  private static Worst worse(Worst a, Worst b) {
    return Double.compare(a.error, b.error) >= 0 ? a : b; // NaN is worse than any number
  }

  private static double largest(double[] values) {
    double largest = 0;
    for (double value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  private static double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(v -> v * v).sum());
  }

  private static double rms(float[] values) {
    return norm(Tolerances.widen(values)) / Math.sqrt(values.length);
  }
}
