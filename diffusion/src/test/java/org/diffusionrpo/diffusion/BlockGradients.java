package org.diffusionrpo.diffusion;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.function.Function;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.ConditionedLayer;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * One block of a network on its own, whose gradients are compared with differences.
 *
 * @param name for the report of the test
 * @param make builds the block
 * @param x shape of the input
 * @param condition shape of the time embedding or the text; null for a block without one
 */
public record BlockGradients(String name, Function<Parameters.Path, ConditionedLayer> make, Shape x, Shape condition) {
  /** A block that has no condition. */
  public static BlockGradients plain(String name, Function<Parameters.Path, Layer> make, Shape x) {
    return new BlockGradients(name, path -> new Unconditioned(make.apply(path)), x, null);
  }

  /** Fails with the names of all parameters and inputs whose gradient is wrong. */
  public void check() throws IOException {
    try (Backend backend = CpuBackend.poisoned(); MemoryScope scope = backend.scope(); Tape tape = new Tape();
        Parameters parameters = new Parameters()) {
      ConditionedLayer block = make.apply(parameters.root());
      GoldenWeights.load(parameters, backend);
      parameters.unfreeze();
      Tensor input = backend.of(x, GoldenFill.sequence(10_000_000, x.size()));
      Tensor shared = condition == null ? null
          : backend.of(condition, GoldenFill.sequence(20_000_000, condition.size()));

      var derivatives = new DirectionalDerivatives(() -> block.forward(input, shared, Tape.NONE));
      Tensor dy = derivatives.outputGradient(block.forward(input, shared, tape));
      Tensor dShared = condition == null ? null : backend.zeros(condition);
      derivatives.add("x", input, block.backward(dy, dShared, tape));
      assertTrue(tape.isEmpty(), "backward left frames on the tape");
      if (shared != null) {
        derivatives.add("condition", shared, dShared);
      }
      derivatives.add(parameters);
      derivatives.check();
    }
  }

  @Override
  public String toString() {
    return name;
  }

  private record Unconditioned(Layer layer) implements ConditionedLayer {
    @Override
    public Tensor forward(Tensor x, Tensor condition, Tape tape) {
      return layer.forward(x, tape);
    }

    @Override
    public Tensor backward(Tensor dy, Tensor dCondition, Tape tape) {
      return layer.backward(dy, tape);
    }
  }
}
