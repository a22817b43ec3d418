package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * 2-d convolution of NHWC images, as torch.nn.Conv2d with other layouts.
 * <pre>
 *   x [N, H, W, I]   y [N, Ho, Wo, O]   weight [O, Kh, Kw, I]   bias [O], optional
 * </pre>
 * Takes a {@link LowRankAdapter}.
 */
public final class Conv2d implements Layer {
  private final Parameter weight;
  private final Parameter bias;
  private final Conv2dGeometry geometry;
  private final AdapterSlot slot;

  public Conv2d(Parameters.Path path, int in, int out, int kernel, Conv2dGeometry geometry, boolean withBias) {
    int fanIn = in * kernel * kernel;
    this.weight = path.matrix("weight", Shape.of(out, kernel, kernel, in), Init.fanIn(fanIn));
    this.bias = withBias ? path.create("bias", Shape.of(out), Init.fanIn(fanIn)) : null;
    this.geometry = geometry;
    this.slot = path.slot(weight, geometry);
  }

  /** Of parameters that are declared already; takes no adapter. */
  Conv2d(Parameter weight, Parameter bias, Conv2dGeometry geometry) {
    this.weight = weight;
    this.bias = bias;
    this.geometry = geometry;
    this.slot = new AdapterSlot(weight, geometry);
  }

  /** 3 x 3, stride 1, same size. */
  public static Conv2d same3x3(Parameters.Path path, int in, int out) {
    return new Conv2d(path, in, out, 3, Conv2dGeometry.of(1, 1), true);
  }

  /** 1 x 1: a linear map of each pixel, stored with the rank of a convolution. */
  public static Conv2d pointwise(Parameters.Path path, int in, int out) {
    return new Conv2d(path, in, out, 1, Conv2dGeometry.of(1, 0), true);
  }

  @Override
  public Tensor forward(Tensor x, Tape tape) {
    Tensor y = x.backend().empty(Shape.of(x.dim(0), geometry.outHeight(x.dim(1), weight.shape().dim(1)),
        geometry.outWidth(x.dim(2), weight.shape().dim(2)), weight.shape().dim(0)));
    x.backend().conv2dForward(y, x, weight.value(), bias == null ? null : bias.value(), geometry);
    if (isFrozen()) { // only weight gradients need x itself, so a frozen layer does not hold it back
      tape.push(this, x.shape());
    } else {
      tape.push(this, x);
    }
    slot.forward(y, x, tape);
    return y;
  }

  @Override
  public Tensor backward(Tensor dy, Tape tape) {
    Tensor ofAdapter = slot.backward(dy, tape);
    try (Tape.Frame saved = tape.pop(this)) {
      if (!isFrozen()) {
        dy.backend().conv2dBackwardWeight(weight.grad(), bias == null ? null : bias.grad(), dy, saved.get(0), geometry);
      }
      Tensor dx = dy.backend().empty(saved.shape());
      dy.backend().conv2dBackwardData(dx, dy, weight.value(), geometry);
      if (ofAdapter != null) {
        dy.backend().addTo(dx, ofAdapter);
        ofAdapter.close();
      }
      return dx;
    }
  }

  private boolean isFrozen() {
    return weight.isFrozen() && (bias == null || bias.isFrozen());
  }
}
