package org.diffusionrpo.tensor.nn;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Conv2dGeometry;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;

/**
 * A trainable change of low rank to a frozen linear layer or convolution. Hu et al. 2021, arXiv:2106.09685, equation 3;
 * convolutions as in LoCon: A has the layer's kernel, stride and padding, B is 1 x 1.
 * <pre>
 *   linear        A [r, I]           B [O, r]            y += scale B (A x)
 *   convolution   A [r, Kh, Kw, I]   B [O, 1, 1, r]
 * </pre>
 * A starts normal with mean 0 and standard deviation 1/r, B at 0: the first forward pass is the base layer's. The two
 * are called lora_A and lora_B as in PEFT.
 */
public final class LowRankAdapter {
  private final Parameter a;
  private final Parameter b;
  private final Layer down;
  private final Layer up;
  private final float scale;
  private boolean enabled = true;

  /**
   * @param path where A and B are declared; they belong to the caller
   * @param base weight of the layer, [O, I] or [O, Kh, Kw, I]
   * @param geometry of a convolution; null for a linear layer
   * @param scale alpha / r
   */
  LowRankAdapter(Parameters.Path path, Shape base, Conv2dGeometry geometry, int rank, float scale) {
    int out = base.dim(0);
    int in = base.dim(-1);
    Init normal = Init.normal(1f / rank);
    if (geometry == null) {
      this.a = path.at("lora_A").matrix("weight", Shape.of(rank, in), normal);
      this.b = path.at("lora_B").matrix("weight", Shape.of(out, rank), Init.ZEROS);
      this.down = new Linear(a, null);
      this.up = new Linear(b, null);
    } else {
      this.a = path.at("lora_A").matrix("weight", base.with(0, rank), normal);
      this.b = path.at("lora_B").matrix("weight", Shape.of(out, 1, 1, rank), Init.ZEROS);
      this.down = new Conv2d(a, null, geometry);
      this.up = new Conv2d(b, null, Conv2dGeometry.of(1, 0));
    }
    this.scale = scale;
  }

  /** Switched off, the layer computes exactly what it computes without an adapter. */
  public void setEnabled(boolean enabled) {
    this.enabled = enabled;
  }

  public boolean isEnabled() {
    return enabled;
  }

  public Parameter a() {
    return a;
  }

  public Parameter b() {
    return b;
  }

  public float scale() {
    return scale;
  }

  /** {@code y += scale B (A x)}. The factor acts on A x, the smallest of the three. */
  void forward(Tensor y, Tensor x, Tape tape) {
    Backend backend = x.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor h = down.forward(x, tape);
      backend.scale(h, h, scale);
      backend.addTo(y, up.forward(h, tape));
    }
  }

  /** The adapter's part of dx; adds to the gradients of A and B. */
  Tensor backward(Tensor dy, Tape tape) {
    Backend backend = dy.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor dh = up.backward(dy, tape);
      backend.scale(dh, dh, scale);
      return scope.keep(down.backward(dh, tape));
    }
  }

  /** {@code base + scale B A} in the layout of the base weight: what the layer computes with, in one matrix. */
  float[] merged(Parameter base) {
    Tensor weight = base.value();
    return add(weight.backend(), weight.toArray(), b.value().toArray(), a.value().toArray(), a.shape().dim(0), scale);
  }

  /**
   * {@code weight + scale B A}, all in memory's layout, row-major.
   *
   * @param weight O rows of I or Kh Kw I values; changed and returned
   */
  public static float[] add(Backend backend, float[] weight, float[] b, float[] a, int rank, float scale) {
    int rows = b.length / rank;
    int columns = a.length / rank;
    try (MemoryScope scope = backend.scope()) {
      Tensor product = backend.empty(Shape.of(rows, columns));
      backend.linearBackwardData(product, backend.of(Shape.of(rows, rank), b), backend.of(Shape.of(rank, columns), a));
      Tensor sum = backend.of(product.shape(), weight);
      backend.axpy(sum, scale, product);
      return sum.toArray();
    }
  }
}
