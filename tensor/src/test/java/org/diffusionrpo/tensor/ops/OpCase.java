package org.diffusionrpo.tensor.ops;

import java.util.LinkedHashMap;
import java.util.Map;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestTensors;

/**
 * One call of one operation on fixed numbers, for any backend.
 *
 * @param op the name of the method of {@link Backend}
 * @param detail sizes and options, for messages
 */
public record OpCase(String op, String detail, Body body) {
  /** Makes the inputs, calls the operation and hands out everything that it wrote. */
  @FunctionalInterface
  public interface Body {
    void run(Backend backend, Results results);
  }

  /** What the operation wrote, by name. */
  public Map<String, double[]> run(Backend backend) {
    Results results = new Results();
    try (MemoryScope scope = backend.scope()) {
      body.run(backend, results);
    }
    return results.values;
  }

  @Override
  public String toString() {
    return op + " " + detail;
  }

  public static final class Results {
    private final Map<String, double[]> values = new LinkedHashMap<>();

    void add(String name, Tensor tensor) {
      add(name, TestTensors.doubles(tensor));
    }

    void add(String name, double... numbers) {
      values.put(name, numbers);
    }
  }
}
