package org.diffusionrpo.bench.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.io.Naming;
import org.diffusionrpo.diffusion.io.WeightFiles;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.TensorSource;
import org.diffusionrpo.tensor.nn.Parameters;

/** The product and libtorch on the same weights of a published size, one after the other, both in float32. */
final class Parity {
  /**
   * Of ||a - b|| / ||b||: float32 networks that sum in different orders, up to hundreds of layers deep. Measured 8e-7 to
   * 4e-6; the rest is room for faster kernels that round more. Finer slips, such as the epsilon of a norm, are for the
   * golden files, whose tolerance is 1e-5.
   */
  static final double TOLERANCE = 2e-4;

  private static final ObjectMapper JSON = new ObjectMapper();

  private Parity() {}

  static ModelConfig config(String name, Map<String, Object> config) {
    return ModelConfig.of(name, JSON.valueToTree(config));
  }

  /** Loads through the product's loader, which refuses other names or shapes than those of its network. */
  static void load(Parameters parameters, TensorSource weights, Backend backend) throws IOException {
    WeightFiles.load(parameters, weights, Naming.DIFFUSERS, "filled weights", backend, Storage.F32);
  }

  /** Runs the oracle and returns its outputs; it has to ask for every tensor of the checkpoint. */
  static double[][] oracle(TensorSource source, Function<Weights, Tensor[]> network) {
    StreamedWeights weights = new StreamedWeights(source);
    double[][][] outputs = new double[1][][];
    Tensors.withoutGradients(() -> {
      Tensor[] tensors = network.apply(weights);
      outputs[0] = new double[tensors.length][];
      for (int i = 0; i < tensors.length; i++) {
        outputs[0][i] = Tensors.values(tensors[i]);
      }
    });
    assertEquals(Set.of(), weights.unused(), "tensors that the oracle did not use");
    return outputs[0];
  }

  /** Prints and checks the error of {@code actual}. */
  static void check(String output, double[] expected, float[] actual) {
    assertEquals(expected.length, actual.length, output);
    double squares = 0;
    double squaredDifferences = 0;
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs(actual[i] - expected[i]);
      squares += expected[i] * expected[i];
      squaredDifferences += difference * difference;
      worst = Math.max(worst, difference);
    }
    double rms = Math.sqrt(squares / expected.length);
    double error = Math.sqrt(squaredDifferences / squares);
    System.out.printf("PARITY %-42s %8d values, rms %.4f: relative error %.2e, largest difference %.2e rms%n", output,
        expected.length, rms, error, worst / rms);
    assertTrue(error <= TOLERANCE, () -> output + ": relative error " + error);
    assertTrue(rms > 0.01 && rms < 100, () -> output + ": the filled weights give numbers of size " + rms);
  }
}
