package org.diffusionrpo.diffusion.vae;

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both halves of a small autoencoder, and the gradient of every parameter, against libtorch's. */
@OnEachDevice
class AutoencoderAllGradientsTest {
  private static final String MODEL = "vae-small";

  @TempDir
  private Path folder;

  private final TestDevice device;

  AutoencoderAllGradientsTest(TestDevice device) {
    this.device = device;
  }

  @Test
  void momentsPictureAndAllGradientsEqualLibtorch() throws IOException {
    try (Backend backend = device.open();
        AutoencoderKL vae = new AutoencoderKL(VaeConfig.from(GoldenTensors.config(MODEL)));
        GoldenTensors golden = GoldenTensors.open(MODEL, "golden", folder);
        MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
      GoldenWeights.load(vae.parameters(), backend);
      vae.parameters().unfreeze();
      Tensor moments = vae.encode(golden.image(backend, "sample"), tape);
      golden.checkOutput("moments", Layout.toNchw(moments));
      Tensor dSample = vae.encodeBackward(golden.image(backend, "grad_moments"), tape);
      golden.checkGradient("sample", Layout.toNchw(dSample));

      Tensor picture = vae.decode(golden.image(backend, "latents"), tape);
      golden.checkOutput("picture", Layout.toNchw(picture));
      Tensor dLatents = vae.decodeBackward(golden.image(backend, "grad_picture"), tape);
      golden.checkGradient("latents", Layout.toNchw(dLatents));
      golden.checkGradients(vae.parameters(), 2);
    }
  }
}
