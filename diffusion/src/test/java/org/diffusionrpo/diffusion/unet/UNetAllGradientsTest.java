package org.diffusionrpo.diffusion.unet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Layout;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.SafetensorsFile;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The gradient of every parameter of small UNets against libtorch's in float64, in the files made by bench. */
class UNetAllGradientsTest {
  /** Of ||a - b|| / ||b||: float32 rounding through some forty layers, measured 7e-7. */
  private static final double OUTPUT_TOLERANCE = 1e-5;

  /** Gradients sum many more rounded terms: measured 6e-6. */
  private static final double GRADIENT_TOLERANCE = 1e-4;

  /** For a gradient that cancels to almost nothing; the smallest norm here is 0.09. */
  private static final double ABSOLUTE_FLOOR = 1e-6;

  @TempDir
  private Path folder;

  @ParameterizedTest
  @CsvSource({"unet-small,golden-8x8", "unet-small,golden-7x9", "unet-small-xl,golden-8x8"})
  void outputAndAllGradientsEqualLibtorch(String model, String file) throws IOException {
    UNetConfig config = UNetConfig.from(ModelConfig.parse(model, text("/golden/" + model + "/config.json")));
    try (Backend backend = CpuBackend.poisoned(); UNet2DConditionModel unet = new UNet2DConditionModel(config);
        SafetensorsFile golden = open("/golden/" + model + "/" + file + ".safetensors");
        MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
      GoldenWeights.load(unet.parameters(), backend);
      unet.parameters().unfreeze();
      AddedConditions added = !golden.names().contains("time_ids") ? null
          : new AddedConditions(tokens(backend, golden, "text_embeds"), timeIds(golden));
      Tensor context = tokens(backend, golden, "encoder_hidden_states");
      Tensor out = unet.forward(image(backend, golden, "sample"), floats(golden.readLongs("timestep")), context, added,
          tape);
      check("output", golden.readFloats("output"), Layout.toNchw(out), OUTPUT_TOLERANCE);

      Tensor dContext = backend.zeros(context.shape());
      Tensor dx = unet.backward(image(backend, golden, "grad_output"), dContext, tape);
      check("grad.sample", golden.readFloats("grad.sample"), Layout.toNchw(dx), GRADIENT_TOLERANCE);
      check("grad.encoder_hidden_states", golden.readFloats("grad.encoder_hidden_states"), dContext.toArray(),
          GRADIENT_TOLERANCE);
      int compared = 0;
      for (Parameter parameter : unet.parameters().all()) {
        String name = parameter.name();
        check(name, golden.readFloats("grad." + name), GoldenWeights.gradient(unet.parameters(), name),
            GRADIENT_TOLERANCE);
        compared++;
      }
      assertEquals(golden.names().stream().filter(name -> name.startsWith("grad.")).count(), compared + 2,
          "gradients in the file: of all parameters and two inputs");
    }
  }

  private static void check(String name, float[] expected, float[] actual, double tolerance) {
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

  private static Tensor image(Backend backend, SafetensorsFile golden, String name) throws IOException {
    int[] dims = golden.info(name).dims();
    return backend.of(Shape.of(dims[0], dims[2], dims[3], dims[1]),
        Layout.toNhwc(golden.readFloats(name), dims[0], dims[1], dims[2], dims[3]));
  }

  private static Tensor tokens(Backend backend, SafetensorsFile golden, String name) throws IOException {
    return backend.of(Shape.of(golden.info(name).dims()), golden.readFloats(name));
  }

  private static float[][] timeIds(SafetensorsFile golden) throws IOException {
    float[] flat = floats(golden.readLongs("time_ids"));
    float[][] rows = new float[2][flat.length / 2];
    System.arraycopy(flat, 0, rows[0], 0, rows[0].length);
    System.arraycopy(flat, rows[0].length, rows[1], 0, rows[1].length);
    return rows;
  }

  private static float[] floats(long[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values[i];
    }
    return floats;
  }

  private SafetensorsFile open(String resource) throws IOException {
    Path file = folder.resolve("golden.safetensors");
    try (InputStream in = resource(resource)) {
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
    }
    return SafetensorsFile.open(file);
  }

  private static String text(String resource) throws IOException {
    try (InputStream in = resource(resource)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static InputStream resource(String name) {
    InputStream in = UNetAllGradientsTest.class.getResourceAsStream(name);
    assertNotNull(in, name);
    return in;
  }
}
