package org.diffusionrpo.diffusion.vae;

import java.io.IOException;
import java.util.function.Supplier;
import org.diffusionrpo.diffusion.DirectionalDerivatives;
import org.diffusionrpo.diffusion.TinyModels;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.Test;

class AutoencoderGradientTest {
  @Test
  void gradientsOfAllParametersAndPixelsMatchFiniteDifferences() throws IOException {
    try (Backend backend = CpuBackend.poisoned(); MemoryScope scope = backend.scope(); Tape tape = new Tape();
        AutoencoderKL vae = TinyModels.vae()) {
      GoldenWeights.load(vae.parameters(), backend);
      vae.parameters().unfreeze();
      Tensor x = backend.of(Shape.of(2, 8, 6, 3), GoldenFill.sequence(10_000_000, 2 * 8 * 6 * 3));

      // Mean and log variance join in z, so that both halves of the moments carry gradients.
      Supplier<Tensor> forward = () -> run(vae, x, Tape.NONE);
      var check = new DirectionalDerivatives(forward);
      Tensor dz = vae.decodeBackward(check.outputGradient(run(vae, x, tape)), tape);
      Tensor dMoments = backend.empty(dz.shape().withLast(8));
      backend.concat(dMoments, dz, dz, 3);
      check.add("x", x, vae.encodeBackward(dMoments, tape));
      check.add(vae.parameters());
      check.check();
    }
  }

  /** decode(mean + log variance). */
  private static Tensor run(AutoencoderKL vae, Tensor x, Tape tape) {
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor moments = vae.encode(x, tape);
      Tensor mean = backend.empty(moments.shape().withLast(4));
      Tensor logVariance = backend.empty(mean.shape());
      backend.split(mean, logVariance, moments, 3);
      backend.addTo(mean, logVariance);
      return scope.keep(vae.decode(mean, tape));
    }
  }
}
