package org.diffusionrpo.diffusion.unet;

import java.io.IOException;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UNetGradientTest {
  private static final float[] TIMESTEPS = {7, 640};

  @ParameterizedTest(name = "sdxl {0}")
  @ValueSource(booleans = {false, true})
  void gradientsOfAllParametersAndInputsMatchFiniteDifferences(boolean sdxl) throws IOException {
    try (Backend backend = CpuBackend.poisoned(); MemoryScope scope = backend.scope(); Tape tape = new Tape();
        UNet2DConditionModel unet = sdxl ? TinyModels.sdxlUnet() : TinyModels.sd15Unet()) {
      GoldenWeights.load(unet.parameters(), backend);
      unet.parameters().unfreeze();
      Tensor x = backend.of(Shape.of(2, 5, 4, 4), GoldenFill.sequence(10_000_000, 2 * 5 * 4 * 4));
      Tensor context = backend.of(Shape.of(2, 3, TinyModels.CONTEXT),
          GoldenFill.sequence(20_000_000, 2 * 3 * TinyModels.CONTEXT));
      AddedConditions added = !sdxl ? null : new AddedConditions(
          backend.of(Shape.of(2, 7), GoldenFill.sequence(30_000_000, 2 * 7)),
          new float[][] {{64, 48, 3, 5, 64, 48}, {32, 32, 0, 0, 64, 64}});

      var check = new DirectionalDerivatives(() -> unet.forward(x, TIMESTEPS, context, added, Tape.NONE));
      Tensor dy = check.outputGradient(unet.forward(x, TIMESTEPS, context, added, tape));
      Tensor dContext = backend.zeros(context.shape());
      check.add("x", x, unet.backward(dy, dContext, tape));
      check.add("context", context, dContext);
      check.add(unet.parameters());
      check.check();
    }
  }
}
