package org.diffusionrpo.diffusion.vae;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.diffusionrpo.diffusion.io.GoldenNumbers;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.Layout;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.OnEachDevice;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestDevice;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.Test;

/** A tiny autoencoder against numbers from the reference sources, computed there in float64. */
@OnEachDevice
class AutoencoderGoldenTest {
  private static final String CONFIG = """
      {"block_out_channels": [16, 32, 32], "layers_per_block": 2, "norm_num_groups": 8, "latent_channels": 4,
       "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
       "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}""";

  private final TestDevice device;

  AutoencoderGoldenTest(TestDevice device) {
    this.device = device;
  }

  @Test
  void momentsDecodedImageAndGradientsEqualTheReference() throws IOException {
    GoldenNumbers golden = GoldenNumbers.read("vae.txt", "");
    try (Backend backend = device.open(); AutoencoderKL vae = model()) {
      assertEquals(golden.text("elements, tensors:"), vae.parameters().count() + " " + vae.parameters().all().size());
      GoldenWeights.load(vae.parameters(), backend);
      vae.parameters().unfreeze();
      long before = backend.memory().liveBytes();
      try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
        Tensor x = image(backend, 16, 16);
        Tensor moments = vae.encode(x, tape);
        golden.check("moments", Layout.toNchw(moments), GoldenNumbers.OUTPUT_TOLERANCE);
        Tensor decoded = vae.decode(vae.mode(moments), tape);
        golden.check("decoded mean", Layout.toNchw(decoded), GoldenNumbers.OUTPUT_TOLERANCE);

        double[] mse = new double[1];
        backend.squaredErrorPerSample(mse, decoded, x);
        assertEquals(Double.parseDouble(golden.text("mse")), mse[0], GoldenNumbers.OUTPUT_TOLERANCE);

        Tensor dDecoded = backend.empty(decoded.shape());
        backend.squaredErrorBackward(dDecoded, decoded, x, new float[] {1});
        Tensor dMean = vae.decodeBackward(dDecoded, tape);
        Tensor dMoments = backend.empty(moments.shape());
        backend.concat(dMoments, dMean, backend.zeros(dMean.shape()), 3);
        Tensor dx = vae.encodeBackward(dMoments, tape);
        golden.check("dx", Layout.toNchw(dx), GoldenNumbers.GRADIENT_TOLERANCE);
        for (String name : golden.gradients()) {
          golden.check("d " + name, GoldenWeights.gradient(vae.parameters(), name), GoldenNumbers.GRADIENT_TOLERANCE);
        }
      }
      assertEquals(before, backend.memory().liveBytes(), "bytes in use after the pass");
    }
  }

  @Test
  void oddSizesAreEncodedAsTheReferenceDoes() throws IOException {
    GoldenNumbers golden = GoldenNumbers.read("vae.txt", "moments 15x18");
    try (Backend backend = device.open(); AutoencoderKL vae = model(); MemoryScope scope = backend.scope()) {
      GoldenWeights.load(vae.parameters(), backend);
      Tensor moments = vae.encode(image(backend, 15, 18), Tape.NONE);
      assertEquals(Shape.of(1, 3, 4, 8), moments.shape());
      golden.check("moments 15x18:", Layout.toNchw(moments), GoldenNumbers.OUTPUT_TOLERANCE);
    }
  }

  private static AutoencoderKL model() throws IOException {
    return new AutoencoderKL(VaeConfig.from(ModelConfig.parse("test", CONFIG)));
  }

  private static Tensor image(Backend backend, int height, int width) {
    float[] values = GoldenFill.sequence(10_000_000, 3 * height * width);
    return backend.of(Shape.of(1, height, width, 3), Layout.toNhwc(values, 1, 3, height, width));
  }
}
