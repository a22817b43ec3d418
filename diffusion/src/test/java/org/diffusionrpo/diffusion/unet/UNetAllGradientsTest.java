package org.diffusionrpo.diffusion.unet;

import java.io.IOException;
import java.nio.file.Path;
import org.diffusionrpo.diffusion.io.GoldenTensors;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Layout;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.OnEachDevice;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestDevice;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The gradient of every parameter of small UNets against libtorch's. */
@OnEachDevice
class UNetAllGradientsTest {
  @TempDir
  private Path folder;

  private final TestDevice device;

  UNetAllGradientsTest(TestDevice device) {
    this.device = device;
  }

  @ParameterizedTest
  @CsvSource({"unet-small,golden-8x8", "unet-small,golden-7x9", "unet-small-xl,golden-8x8"})
  void outputAndAllGradientsEqualLibtorch(String model, String file) throws IOException {
    UNetConfig config = UNetConfig.from(GoldenTensors.config(model));
    try (Backend backend = device.open(); UNet2DConditionModel unet = new UNet2DConditionModel(config);
        GoldenTensors golden = GoldenTensors.open(model, file, folder);
        MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
      GoldenWeights.load(unet.parameters(), backend);
      unet.parameters().unfreeze();
      AddedConditions added = !golden.has("time_ids") ? null
          : new AddedConditions(golden.tensor(backend, "text_embeds"), rows(golden.ints("time_ids"), 2));
      float[] timesteps = rows(golden.ints("timestep"), 1)[0];
      Tensor context = golden.tensor(backend, "encoder_hidden_states");
      Tensor out = unet.forward(golden.image(backend, "sample"), timesteps, context, added, tape);
      golden.checkOutput("output", Layout.toNchw(out));

      Tensor dContext = backend.zeros(context.shape());
      Tensor dx = unet.backward(golden.image(backend, "grad_output"), dContext, tape);
      golden.checkGradient("sample", Layout.toNchw(dx));
      golden.checkGradient("encoder_hidden_states", dContext.toArray());
      golden.checkGradients(unet.parameters(), 2);
    }
  }

  private static float[][] rows(int[] values, int count) {
    int length = values.length / count;
    float[][] rows = new float[count][length];
    for (int i = 0; i < values.length; i++) {
      rows[i / length][i % length] = values[i];
    }
    return rows;
  }
}
