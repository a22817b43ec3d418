package org.diffusionrpo.bench.versus;

import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** libtorch's functions as PyTorch's layers call them. Handles are closed as soon as Python would drop them. */
final class TorchOps {
  private static final TensorOptional NO_TENSOR = new TensorOptional();
  private static final DoubleOptional NO_NUMBER = new DoubleOptional();
  private static final double LAYER_NORM_EPS = 1e-5;

  private TorchOps() {}

  /** f(x); then x is closed. */
  static Tensor consume(Tensor x, UnaryOperator<Tensor> f) {
    Tensor y = f.apply(x);
    x.close();
    return y;
  }

  /** a + b; then a is closed. */
  static Tensor addTo(Tensor a, Tensor b) {
    return consume(a, x -> x.add(b));
  }

  static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
    return torch.linear(x, weight, new TensorOptional(bias));
  }

  /** The kernel is square, and the padding half of it. */
  static Tensor conv2d(Tensor x, Tensor weight, Tensor bias, long stride) {
    long padding = weight.size(2) / 2;
    return torch.conv2d(x, weight, new TensorOptional(bias), new long[] {stride, stride},
        new long[] {padding, padding}, new long[] {1, 1}, 1);
  }

  static Tensor groupNorm(Tensor x, long groups, Tensor gamma, Tensor beta, double eps) {
    return torch.group_norm(x, groups, new TensorOptional(gamma), new TensorOptional(beta), eps, false);
  }

  static Tensor layerNorm(Tensor x, Tensor gamma, Tensor beta) {
    return torch.layer_norm(x, new long[] {x.size(-1)}, new TensorOptional(gamma), new TensorOptional(beta),
        LAYER_NORM_EPS, false);
  }

  /** q, k, v [N, heads, T, headDim]. */
  static Tensor attention(Tensor q, Tensor k, Tensor v) {
    return torch.scaled_dot_product_attention(q, k, v, NO_TENSOR, 0, false, NO_NUMBER, false);
  }

  static Tensor geglu(Tensor x) {
    TensorVector halves = x.chunk(2, -1);
    Tensor gate = torch.gelu(halves.get(1));
    Tensor y = halves.get(0).mul(gate);
    gate.close();
    halves.close();
    return y;
  }

  static Tensor upsampleNearest(Tensor x, long height, long width) {
    return torch.upsample_nearest2d(x, new long[] {height, width}, NO_NUMBER, NO_NUMBER);
  }

  /** Along the channels; then a and b are closed. */
  static Tensor concat(Tensor a, Tensor b) {
    TensorVector parts = new TensorVector(a, b);
    Tensor y = torch.cat(parts, 1);
    parts.close();
    a.close();
    b.close();
    return y;
  }

  /** Gradients of sum(y dy) for the inputs. */
  static TensorVector gradients(Tensor y, Tensor dy, boolean keepGraph, Tensor... inputs) {
    TensorVector outputs = new TensorVector(y);
    TensorVector seeds = new TensorVector(dy);
    TensorVector of = new TensorVector(inputs);
    TensorVector gradients = torch.grad(outputs, of, seeds, new BoolOptional(keepGraph), false, true);
    outputs.close();
    seeds.close();
    of.close();
    return gradients;
  }
}
