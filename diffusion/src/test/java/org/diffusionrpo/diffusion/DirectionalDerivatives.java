package org.diffusionrpo.diffusion;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * Compares the gradients of a whole model with differences of {@code L = sum(y * r)}, r a fixed random tensor, along
 * one random direction d, of standard normal elements, per parameter and per input.
 * <pre>
 *   D(h) = L(v + h d) - L(v - h d)     numeric = (8 D(h) - D(2h)) / 12     analytic = h sum(gradient * d)
 * </pre>
 * h is chosen so that L moves by about {@link #EFFECT} of the norm of {@code y * r}: less would drown in float32
 * rounding, more would bend.
 */
public final class DirectionalDerivatives {
  private static final double EFFECT = 4e-3;

  /** The longest step, for gradients that are small or, as of a key's bias, zero. */
  private static final double LONGEST = 0.1;

  /** Part of the effect by which numeric and analytic may differ; right code stays below half of it. */
  private static final double TOLERANCE = 3e-3;

  private final Supplier<Tensor> forward;
  private final Map<String, Tensor> values = new LinkedHashMap<>();
  private final Map<String, float[]> gradients = new LinkedHashMap<>();
  private float[] weights;

  /** @param forward computes y from the present values of all tensors, without a tape */
  public DirectionalDerivatives(Supplier<Tensor> forward) {
    this.forward = forward;
  }

  /** r, to be given to backward as dy; drawn for the shape of y. */
  public Tensor outputGradient(Tensor y) {
    weights = new float[y.size()];
    Philox.stream(7, "output gradient", 0).fillGaussian(weights);
    return y.backend().of(y.shape(), weights);
  }

  /** Adds an input of the model. */
  public void add(String name, Tensor value, Tensor gradient) {
    values.put(name, value);
    gradients.put(name, gradient.toArray());
  }

  /** Adds all parameters, after backward. */
  public void add(Parameters parameters) {
    for (Parameter parameter : parameters.all()) {
      add(parameter.name(), parameter.value(), parameter.grad());
    }
  }

  /** Fails with the names of all tensors whose gradient is wrong. */
  public void check() {
    double effect = EFFECT * norm(terms());
    List<String> wrong = new ArrayList<>();
    int index = 0;
    for (Map.Entry<String, Tensor> entry : values.entrySet()) {
      Tensor value = entry.getValue();
      float[] gradient = gradients.get(entry.getKey());
      float[] direction = new float[gradient.length];
      Philox.stream(7, "direction", index++).fillGaussian(direction);
      double h = Math.min(LONGEST, effect / norm(gradient));
      double analytic = 0;
      for (int i = 0; i < direction.length; i++) {
        analytic += h * gradient[i] * direction[i];
      }
      double numeric = (8 * difference(value, direction, h) - difference(value, direction, 2 * h)) / 12;
      double error = Math.abs(numeric - analytic) / effect;
      if (!(error < TOLERANCE)) {
        wrong.add(String.format("%s: error %.2g", entry.getKey(), error));
      }
    }
    assertTrue(wrong.isEmpty(), () -> String.join("\n", wrong));
  }

  private double difference(Tensor value, float[] direction, double h) {
    float[] centre = value.toArray();
    double difference = loss(value, centre, direction, h) - loss(value, centre, direction, -h);
    value.backend().write(value, centre);
    return difference;
  }

  private double loss(Tensor value, float[] centre, float[] direction, double h) {
    Backend backend = value.backend();
    float[] moved = new float[centre.length];
    for (int i = 0; i < moved.length; i++) {
      moved[i] = (float) (centre[i] + h * direction[i]);
    }
    backend.write(value, moved);
    return Arrays.stream(terms()).sum();
  }

  /** y * r at the present values. */
  private double[] terms() {
    try (Tensor y = forward.get()) {
      float[] output = y.toArray();
      return IntStream.range(0, output.length).mapToDouble(i -> (double) output[i] * weights[i]).toArray();
    }
  }

  private static double norm(float[] values) {
    return norm(IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray());
  }

  private static double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(v -> v * v).sum());
  }
}
