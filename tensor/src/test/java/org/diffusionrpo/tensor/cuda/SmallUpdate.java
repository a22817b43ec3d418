package org.diffusionrpo.tensor.cuda;

import static org.diffusionrpo.tensor.TestTensors.gaussian;

import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestTensors;

/**
 * A training update in miniature that makes every kind of call: uploads, products, convolutions of cuDNN and of windows,
 * frozen half weights, attention, norms, losses read back, an optimizer.
 */
final class SmallUpdate {
  private static final int SAMPLES = 2;
  private static final int SIDE = 4;
  private static final int CHANNELS = 8;

  private SmallUpdate() {}

  /** The updated weights. */
  static float[] run(Backend b) {
    try (MemoryScope scope = b.scope()) {
      Tensor x = b.of(Shape.of(SAMPLES, SIDE, SIDE, CHANNELS), gaussianValues(SAMPLES * SIDE * SIDE * CHANNELS));
      Tensor weight = gaussian(b, 2, CHANNELS, 3, 3, CHANNELS);
      Tensor dWeight = b.zeros(weight.shape());
      Tensor bias = gaussian(b, 3, CHANNELS);
      Conv2dGeometry same = Conv2dGeometry.of(1, 1);
      Conv2dGeometry uneven = new Conv2dGeometry(2, 0, 0, 1, 1);

      Tensor h = b.empty(x.shape());
      b.conv2dForward(h, x, weight, bias, same);
      Tensor normed = b.empty(x.shape());
      Tensor mean = b.empty(Shape.of(SAMPLES, 2));
      Tensor rstd = b.empty(Shape.of(SAMPLES, 2));
      b.groupNormSiluForward(normed, mean, rstd, h, gaussian(b, 4, CHANNELS), bias, 2, 1e-5f);
      Tensor small = b.empty(Shape.of(SAMPLES, SIDE / 2, SIDE / 2, CHANNELS));
      b.conv2dForward(small, normed, weight, null, uneven);
      Tensor tokens = small.reshape(SAMPLES, SIDE * SIDE / 4, CHANNELS);
      Tensor attended = b.empty(tokens.shape());
      Tensor lse = b.empty(Shape.of(SAMPLES, 2, SIDE * SIDE / 4));
      b.attentionForward(attended, lse, tokens, tokens, tokens, 2, false);
      Tensor out = b.empty(tokens.shape());
      b.linearForward(out, attended, gaussian(b, 5, Storage.BF16, CHANNELS, CHANNELS), bias);

      Tensor target = gaussian(b, 6, SAMPLES, SIDE * SIDE / 4, CHANNELS);
      b.squaredErrorPerSample(new double[SAMPLES], out, target);
      Tensor dOut = b.empty(out.shape());
      b.squaredErrorBackward(dOut, out, target, new float[] {1, -1});
      Tensor dSmall = b.empty(small.shape());
      b.linearBackwardData(dSmall, dOut, gaussian(b, 5, Storage.BF16, CHANNELS, CHANNELS));
      Tensor dNormed = b.empty(x.shape());
      b.conv2dBackwardData(dNormed, dSmall, weight, uneven);
      b.conv2dBackwardWeight(dWeight, null, dSmall, normed, uneven);
      b.conv2dBackwardWeight(dWeight, null, dNormed, x, same);
      Tensor m = b.zeros(weight.shape());
      Tensor v = b.zeros(weight.shape());
      b.sumOfSquares(List.of(dWeight, dSmall));
      b.adamW(weight, dWeight, m, v, new Backend.AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001));
      return weight.toArray();
    }
  }

  private static float[] gaussianValues(int n) {
    return TestTensors.gaussianValues(1, n);
  }
}
