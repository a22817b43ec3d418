package org.diffusionrpo.tensor.cuda;

import static org.diffusionrpo.tensor.TestTensors.gaussian;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Replay;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestTensors;

/**
 * A forward pass in miniature that makes every kind of call that may be recorded: convolutions of cuDNN and of windows, a
 * norm, tiled and wide attention, a product with half weights, a copy.
 */
final class RepeatedForward implements AutoCloseable {
  private static final Shape INPUT = Shape.of(2, 4, 4, 8);
  private static final Shape TOKENS = Shape.of(2, 4, 8);

  private final Backend b;
  private final MemoryScope scope;
  private final Tensor x;
  private final Tensor y;
  private final Tensor filter;
  private final Tensor weight;
  private final Tensor bias;
  private final Replay replay;

  RepeatedForward(Backend backend) {
    b = backend;
    scope = b.scope();
    x = b.empty(INPUT);
    y = b.empty(TOKENS);
    filter = gaussian(b, 2, 8, 3, 3, 8);
    weight = gaussian(b, 3, Storage.BF16, 8, 8);
    bias = gaussian(b, 4, 8);
    replay = b.record(this::forward);
  }

  private void forward() {
    Tensor h = b.empty(INPUT);
    b.conv2dForward(h, x, filter, bias, Conv2dGeometry.of(1, 1));
    Tensor normed = b.empty(INPUT);
    b.groupNormSiluForward(normed, b.empty(Shape.of(2, 2)), b.empty(Shape.of(2, 2)), h, bias, bias, 2, 1e-5f);
    h.close(); // so that its block is used again
    Tensor small = b.empty(Shape.of(2, 2, 2, 8));
    b.conv2dForward(small, normed, filter, null, new Conv2dGeometry(2, 0, 0, 1, 1));
    Tensor tokens = small.reshape(2, 4, 8);
    Tensor attended = b.empty(TOKENS);
    b.attentionForward(attended, b.empty(Shape.of(2, 2, 4)), tokens, tokens, tokens, 2, false);
    Tensor wide = b.empty(TOKENS);
    b.attentionForward(wide, b.empty(Shape.of(2, 8, 4)), attended, tokens, tokens, 8, false);
    Tensor out = b.empty(TOKENS);
    b.linearForward(out, wide, weight, bias);
    b.copy(y, out);
  }

  /** The outputs for inputs of this number. */
  float[] step(long number) {
    b.write(x, TestTensors.gaussianValues(number, INPUT.size()));
    replay.run();
    return y.toArray();
  }

  @Override
  public void close() {
    replay.close();
    scope.close();
  }
}
