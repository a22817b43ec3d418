package org.diffusionrpo.bench.oracle;

import java.io.IOException;
import org.bytedeco.pytorch.Tensor;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.diffusion.vae.VaeConfig;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.Layout;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.Test;

/** A picture of 256 x 256 pixels to moments, and latents to a picture, through the published autoencoder. */
class AutoencoderParityTest {
  private static final VaeSettings SETTINGS = VaeSettings.STABLE_DIFFUSION;
  private static final int SIDE = 256;
  private static final int PICTURE_START = 10_000_000;
  private static final int LATENTS_START = 20_000_000;

  @Test
  void encodesAndDecodes() throws IOException {
    int side = SIDE / SETTINGS.factor();
    float[] picture = GoldenFill.sequence(PICTURE_START, TorchVae.PICTURE_CHANNELS * SIDE * SIDE);
    float[] latents = GoldenFill.sequence(LATENTS_START, TorchVae.LATENT_CHANNELS * side * side);
    try (FilledWeights weights = new FilledWeights("vae"); Backend backend = new CpuBackend();
        AutoencoderKL vae = new AutoencoderKL(VaeConfig.from(Parity.config("VAE", SETTINGS.config())));
        MemoryScope scope = backend.scope()) {
      Parity.load(vae.parameters(), weights, backend);
      double[][] expected = Parity.oracle(weights, source -> {
        TorchVae oracle = new TorchVae(SETTINGS, source);
        return new Tensor[] {
            oracle.encode(Tensors.single(picture, 1, TorchVae.PICTURE_CHANNELS, SIDE, SIDE)),
            oracle.decode(Tensors.single(latents, 1, TorchVae.LATENT_CHANNELS, side, side))};
      });
      Parity.check("VAE encoder, moments of 256x256", expected[0],
          Layout.toNchw(vae.encode(image(backend, picture, TorchVae.PICTURE_CHANNELS, SIDE), Tape.NONE)));
      Parity.check("VAE decoder, picture of 256x256", expected[1],
          Layout.toNchw(vae.decode(image(backend, latents, TorchVae.LATENT_CHANNELS, side), Tape.NONE)));
    }
  }

  private static org.diffusionrpo.tensor.Tensor image(Backend backend, float[] values, int channels, int side) {
    return backend.of(Shape.of(1, side, side, channels), Layout.toNhwc(values, 1, channels, side, side));
  }
}
