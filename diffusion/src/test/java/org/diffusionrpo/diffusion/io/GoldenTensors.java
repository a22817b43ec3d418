package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Layout;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * Inputs, outputs and gradients of a small network that libtorch computed in float64: a folder of golden files made by
 * bench. Comparisons are of ||a - b|| / ||b|| over whole tensors.
 */
public final class GoldenTensors implements AutoCloseable {
  /** float32 rounding through some forty layers, measured 3e-7 to 9e-7. */
  public static final double OUTPUT_TOLERANCE = 1e-5;

  /** Gradients sum many more rounded terms: measured up to 6e-6. */
  public static final double GRADIENT_TOLERANCE = 1e-4;

  /**
   * For the biases of keys, which shift all scores of a query alike and so have the gradient 0: measured 1e-6. The
   * smallest norm of any other gradient is 0.09.
   */
  private static final double ABSOLUTE_FLOOR = 5e-6;

  private static final String GRADIENT = "grad.";

  private final SafetensorsFile file;

  private GoldenTensors(SafetensorsFile file) {
    this.file = file;
  }

  /**
   * Opens {@code golden/model/name.safetensors} of the test resources.
   *
   * @param scratch a folder for a copy of it
   */
  public static GoldenTensors open(String model, String name, Path scratch) throws IOException {
    Path file = scratch.resolve("golden.safetensors");
    try (InputStream in = resource(model + "/" + name + ".safetensors")) {
      Files.copy(in, file);
    }
    return new GoldenTensors(SafetensorsFile.open(file));
  }

  /** {@code golden/model/config.json}. */
  public static ModelConfig config(String model) throws IOException {
    try (InputStream in = resource(model + "/config.json")) {
      return ModelConfig.parse(model, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  public boolean has(String name) {
    return file.names().contains(name);
  }

  /** A picture or a map of features, in our layout. */
  public Tensor image(Backend backend, String name) throws IOException {
    int[] dims = file.info(name).dims();
    return backend.of(Shape.of(dims[0], dims[2], dims[3], dims[1]),
        Layout.toNhwc(file.readFloats(name), dims[0], dims[1], dims[2], dims[3]));
  }

  /** A tensor whose layout is the same in files and in memory. */
  public Tensor tensor(Backend backend, String name) throws IOException {
    return backend.of(Shape.of(file.info(name).dims()), file.readFloats(name));
  }

  public int[] ints(String name) throws IOException {
    return Arrays.stream(file.readLongs(name)).mapToInt(Math::toIntExact).toArray();
  }

  public void checkOutput(String name, float[] actual) throws IOException {
    check(name, actual, OUTPUT_TOLERANCE);
  }

  public void checkGradient(String name, float[] actual) throws IOException {
    check(GRADIENT + name, actual, GRADIENT_TOLERANCE);
  }

  /** Compares the gradients of all parameters; the file holds no others but those of {@code inputs} inputs. */
  public void checkGradients(Parameters parameters, int inputs) throws IOException {
    for (Parameter parameter : parameters.all()) {
      checkGradient(parameter.name(), GoldenWeights.gradient(parameters, parameter.name()));
    }
    assertEquals(file.names().stream().filter(name -> name.startsWith(GRADIENT)).count(),
        parameters.all().size() + inputs, "gradients in the file: of all parameters and " + inputs + " inputs");
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void check(String name, float[] actual, double tolerance) throws IOException {
    float[] expected = file.readFloats(name);
    assertEquals(expected.length, actual.length, name);
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) actual[i] - expected[i], 2);
      norm += (double) expected[i] * expected[i];
    }
    double error = Math.sqrt(difference);
    double bound = Math.max(ABSOLUTE_FLOOR, tolerance * Math.sqrt(norm));
    assertTrue(error <= bound, () -> name + ": differs by " + error + ", allowed are " + bound);
  }

  private static InputStream resource(String name) {
    InputStream in = GoldenTensors.class.getResourceAsStream("/golden/" + name);
    assertNotNull(in, name);
    return in;
  }
}
