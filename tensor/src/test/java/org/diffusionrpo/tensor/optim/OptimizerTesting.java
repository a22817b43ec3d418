package org.diffusionrpo.tensor.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Function;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.TestTensors;
import org.diffusionrpo.tensor.nn.Init;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/** What the tests of all optimizers share. */
final class OptimizerTesting {
  private OptimizerTesting() {}

  /** One trainable parameter {@code p}. */
  static Parameters parameters(Backend backend, int[] dims, float... values) {
    Parameters parameters = new Parameters();
    Parameter p = parameters.root().create("p", Shape.of(dims), Init.ZEROS);
    p.set(backend, values, Storage.F32);
    p.unfreeze();
    return parameters;
  }

  static void step(Optimizer optimizer, Parameters parameters, double lr, float... gradient) {
    Parameter p = parameters.get("p");
    p.value().backend().write(p.grad(), gradient);
    optimizer.step(lr);
  }

  /** Ten steps at once against five, a copy of all state into new objects, and five more. */
  static void resumesBitForBit(Backend backend, Function<Parameters, Optimizer> make) {
    Parameters straight = network(backend);
    Optimizer whole = make.apply(straight);
    run(whole, straight, 0, 10);

    Parameters before = network(backend);
    Optimizer first = make.apply(before);
    run(first, before, 0, 5);
    Parameters after = network(backend);
    after.all().forEach(p -> backend.copy(p.value(), before.get(p.name()).value()));
    Optimizer second = make.apply(after);
    assertEquals(first.state().keySet(), second.state().keySet());
    second.state().forEach((name, tensor) -> backend.copy(tensor, first.state().get(name)));
    second.resume(first.steps());
    run(second, after, 5, 10);

    assertEquals(10, second.steps());
    for (Parameter parameter : straight.all()) {
      assertArrayEquals(parameter.value().toArray(), after.get(parameter.name()).value().toArray(), parameter.name());
    }
  }

  static void leavesFrozenParametersAlone(Backend backend, Function<Parameters, Optimizer> make) {
    Parameters parameters = network(backend);
    parameters.get("linear").freeze();
    float[] linear = parameters.get("linear").value().toArray();
    float[] bias = parameters.get("bias").value().toArray();
    long before = backend.memory().liveBytes();
    try (Optimizer optimizer = make.apply(parameters)) {
      assertTrue(optimizer.state().keySet().stream().noneMatch(name -> name.startsWith("linear.")));
      backend.fill(parameters.get("bias").grad(), 1);
      optimizer.step(0.1);
    }
    assertEquals(before, backend.memory().liveBytes());
    assertArrayEquals(linear, parameters.get("linear").value().toArray());
    assertTrue(bias[0] > parameters.get("bias").value().toArray()[0]);
  }

  private static Parameters network(Backend backend) {
    Parameters parameters = new Parameters();
    parameters.root().create("linear", Shape.of(7, 19), Init.normal(1));
    parameters.root().create("conv", Shape.of(5, 3, 3, 9), Init.normal(1));
    parameters.root().create("bias", Shape.of(33), Init.normal(1));
    TestTensors.randomize(parameters, backend, 3);
    return parameters;
  }

  private static void run(Optimizer optimizer, Parameters parameters, int from, int to) {
    for (int k = from; k < to; k++) {
      long seed = 100 * k;
      for (Parameter parameter : parameters.all()) {
        float[] gradient = TestTensors.gaussianValues(seed++, parameter.shape().size());
        parameter.value().backend().write(parameter.grad(), gradient);
      }
      optimizer.step(1e-2 / (k + 1));
    }
  }
}
