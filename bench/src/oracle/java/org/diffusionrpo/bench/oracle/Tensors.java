package org.diffusionrpo.bench.oracle;

import java.nio.DoubleBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** libtorch's tensors and functions in the few forms the oracle needs, all float64. */
final class Tensors {
  private Tensors() {}

  /** Runs a computation; all tensors made in it are freed at its end. */
  static void scoped(Runnable computation) {
    PointerScope scope = new PointerScope();
    try {
      computation.run();
    } finally {
      scope.close();
    }
  }

  /** A leaf whose gradient is wanted. */
  static Tensor leaf(float[] values, long... shape) {
    return constant(values, shape).set_requires_grad(true);
  }

  static Tensor constant(float[] values, long... shape) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return Tensor.create(wide, shape);
  }

  /** The values, row-major. */
  static double[] values(Tensor tensor) {
    double[] values = new double[Math.toIntExact(tensor.numel())];
    DoubleBuffer buffer = tensor.detach().contiguous().createBuffer();
    buffer.get(values);
    return values;
  }

  static int elements(long... shape) {
    return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
  }

  static long[] shape(Tensor tensor) {
    long[] shape = new long[Math.toIntExact(tensor.dim())];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = tensor.size(i);
    }
    return shape;
  }

  static Tensor times(Tensor tensor, double factor) {
    return tensor.mul(new Scalar(factor));
  }

  static Tensor concat(Tensor a, Tensor b, long axis) {
    return torch.cat(new TensorVector(a, b), axis);
  }

  /** w OIHW, the same padding on opposite sides. */
  static Tensor conv2d(Tensor x, Tensor w, Tensor bias, long stride, long padding) {
    return torch.conv2d(x, w, new TensorOptional(bias), new long[] {stride, stride}, new long[] {padding, padding},
        new long[] {1, 1}, 1);
  }

  static Tensor groupNorm(Tensor x, long groups, Tensor weight, Tensor bias, double eps) {
    return torch.group_norm(x, groups, new TensorOptional(weight), new TensorOptional(bias), eps, false);
  }

  /** Over the last axis. */
  static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
    return torch.layer_norm(
        x, new long[] {x.size(x.dim() - 1)}, new TensorOptional(weight), new TensorOptional(bias), eps, false);
  }

  /** x is split in halves along its last axis; the second one is the gate. */
  static Tensor geglu(Tensor x) {
    TensorVector halves = x.chunk(2, -1);
    return halves.get(0).mul(torch.gelu(halves.get(1)));
  }

  /** q [B, Tq, heads * d], k and v [B, Tk, heads * d] to [B, Tq, heads * d], with scale 1 / sqrt(d). */
  static Tensor attention(Tensor q, Tensor k, Tensor v, long heads, boolean causal) {
    Tensor y = torch.scaled_dot_product_attention(heads(q, heads), heads(k, heads), heads(v, heads),
        new TensorOptional(), 0, causal, new DoubleOptional(), false);
    return y.transpose(1, 2).reshape(q.size(0), q.size(1), q.size(2));
  }

  private static Tensor heads(Tensor x, long heads) {
    return x.reshape(x.size(0), x.size(1), heads, x.size(2) / heads).transpose(1, 2);
  }

  static Tensor upsampleNearest(Tensor x, long height, long width) {
    return torch.upsample_nearest2d(x, new long[] {height, width}, new DoubleOptional(), new DoubleOptional());
  }
}
