package org.diffusionrpo.bench.oracle;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.diffusionrpo.bench.oracle.TorchUnet.Inputs;

/**
 * Holds {@link TorchUnet} to numbers that diffusers' own UNet2DConditionModel gave for two networks with weights and
 * inputs by the same {@link FillRule}: so the golden files rest on diffusers, not on our reading of it.
 */
final class UnetReference {
  /** In the style of SD 1.5. */
  private static final UnetSettings A = new UnetSettings(List.of(32, 64), List.of(true, false), 2, 8, 24, List.of(4, 4),
      List.of(1, 1), false, 0, 0);
  /** In the style of SDXL. */
  private static final UnetSettings B = new UnetSettings(List.of(32, 64), List.of(false, true), 2, 8, 24, List.of(2, 4),
      List.of(1, 2), true, 8, 64);
  /** The numbers have eight digits; the sinusoid's float32 rounding, which may differ, moves them by about 1e-7. */
  private static final double TOLERANCE = 1e-6;

  private UnetReference() {}

  /** Throws {@link IllegalStateException} if a number differs. */
  static void check() {
    check("A 8x8", A, 8, 8, 304, 185.27413, 0.6352291136, 4.0348673, 0.016650077, 0.004605961);
    check("A 7x9", A, 7, 9, 304, 155.18196, 0.5425905624, 2.8202073, 0.012939292, 0.0027927203);
    check("B 8x8", B, 8, 8, 428, 128.24622, 0.5536734167, 3.0629405, 0.0095874753, 0.0020201061);
  }

  private static void check(String name, UnetSettings settings, int height, int width, int tensors,
      double outputSquares, double meanSquaredError, double gradientNorm, double sampleSquares, double contextSquares) {
    Tensors.scoped(() -> {
      Inputs in = UnetGoldens.inputs(settings, height, width);
      LeafWeights weights = UnetGoldens.weights(settings, in);
      Tensor output = new TorchUnet(settings, weights).forward(in);
      long[] shape = Tensors.shape(output);
      Tensor target = Tensors.constant(FillRule.input(UnetGoldens.TARGET_START, Tensors.elements(shape)), shape);
      Tensor loss = output.sub(target).square().mean();
      loss.backward();
      Reference reference = new Reference("UNet " + name, TOLERANCE);
      reference.require("tensors", tensors, weights.all().size());
      reference.require("squares of the output", outputSquares, Tensors.squares(output));
      reference.require("loss", meanSquaredError, loss.item_double());
      reference.require("gradient norm", gradientNorm, Math.sqrt(weights.gradientSquares()));
      reference.require("squares of the gradient of the sample", sampleSquares, Tensors.squares(in.sample().grad()));
      reference.require("squares of the gradient of the context", contextSquares, Tensors.squares(in.context().grad()));
    });
  }
}
