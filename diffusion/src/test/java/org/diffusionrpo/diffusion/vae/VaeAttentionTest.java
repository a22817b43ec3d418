package org.diffusionrpo.diffusion.vae;

import java.io.IOException;
import org.diffusionrpo.diffusion.BlockGradients;
import org.diffusionrpo.tensor.Shape;
import org.junit.jupiter.api.Test;

class VaeAttentionTest {
  @Test
  void gradientsOfAllParametersAndPixelsMatchFiniteDifferences() throws IOException {
    BlockGradients.plain("VaeAttention", path -> new VaeAttention(path, 6, 3), Shape.of(2, 3, 5, 6)).check();
  }
}
