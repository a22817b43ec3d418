package org.diffusionrpo.diffusion.unet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.diffusionrpo.diffusion.io.GoldenNumbers;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.Layout;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.OnEachDevice;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestDevice;
import org.diffusionrpo.tensor.nn.Tape;
import org.diffusionrpo.tensor.optim.Gradients;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Outputs and gradients of tiny UNets against numbers from the reference sources, computed there in float64. */
@OnEachDevice
class UNetGoldenTest {
  private final TestDevice device;

  UNetGoldenTest(TestDevice device) {
    this.device = device;
  }

  @ParameterizedTest
  @CsvSource({"A 8x8,8,8,false", "A 7x9,7,9,false", "A 8x8,8,8,true", "B 8x8,8,8,false", "B 8x8,8,8,true"})
  void outputAndGradientsEqualTheReference(String section, int height, int width, boolean checkpointing)
      throws IOException {
    boolean sdxl = section.startsWith("B");
    GoldenNumbers golden = GoldenNumbers.read("unet.txt", section, "A ", "B ");
    UNetConfig config = sdxl ? GoldenUnets.sdxlStyle() : GoldenUnets.sd15Style();
    try (Backend backend = device.open();
        UNet2DConditionModel unet = new UNet2DConditionModel(config, checkpointing)) {
      assertEquals(golden.text(section), "elements " + unet.parameters().count() + " tensors "
          + unet.parameters().all().size());
      GoldenWeights.load(unet.parameters(), backend);
      unet.parameters().unfreeze();
      long before = backend.memory().liveBytes();
      try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
        Tensor x = backend.of(Shape.of(2, height, width, 4), nhwc(10_000_000, 2, 4, height, width));
        Tensor context = backend.of(Shape.of(2, 5, 24), GoldenFill.sequence(20_000_000, 2 * 5 * 24));
        AddedConditions added = !sdxl ? null : new AddedConditions(
            backend.of(Shape.of(2, 16), GoldenFill.sequence(30_000_000, 2 * 16)),
            new float[][] {{64, 48, 3, 5, 64, 48}, {32, 32, 0, 0, 64, 64}});
        Tensor out = unet.forward(x, new float[] {981, 7}, context, added, tape);
        golden.check("out", Layout.toNchw(out), GoldenNumbers.OUTPUT_TOLERANCE);

        Tensor target = backend.of(out.shape(), nhwc(40_000_000, 2, 4, height, width));
        double[] errors = new double[2];
        backend.squaredErrorPerSample(errors, out, target);
        assertEquals(Double.parseDouble(golden.text("mse:")), (errors[0] + errors[1]) / 2,
            GoldenNumbers.OUTPUT_TOLERANCE);

        Tensor dOut = backend.empty(out.shape());
        backend.squaredErrorBackward(dOut, out, target, new float[] {0.5f, 0.5f});
        Tensor dContext = backend.zeros(context.shape());
        Tensor dx = unet.backward(dOut, dContext, tape);
        assertTrue(tape.isEmpty());
        golden.check("dx", Layout.toNchw(dx), GoldenNumbers.GRADIENT_TOLERANCE);
        golden.check("dctx", dContext.toArray(), GoldenNumbers.GRADIENT_TOLERANCE);
        double norm = Double.parseDouble(golden.text("gradnorm:"));
        assertEquals(norm, Gradients.norm(unet.parameters().all()), norm * GoldenNumbers.GRADIENT_TOLERANCE);
        for (String name : golden.gradients()) {
          golden.check("d " + name, GoldenWeights.gradient(unet.parameters(), name),
              GoldenNumbers.GRADIENT_TOLERANCE);
        }
      }
      assertEquals(before, backend.memory().liveBytes(), "bytes in use after the pass");
    }
  }

  private static float[] nhwc(int start, int n, int c, int h, int w) {
    return Layout.toNhwc(GoldenFill.sequence(start, n * c * h * w), n, c, h, w);
  }
}
