package org.diffusionrpo.bench.oracle;

import java.nio.DoubleBuffer;
import java.util.Arrays;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * libtorch's tensors and functions in the few forms the oracle needs. Golden numbers are made in float64, networks of
 * full size run in float32.
 */
final class Tensors {
  static {
    torch.globalContext().setUserEnabledNNPACK(false); // else it warns in every convolution where it cannot run
  }

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

  /** As {@link #scoped}, and no graph for gradients is kept. */
  static void withoutGradients(Runnable computation) {
    scoped(() -> {
      AutoGradMode mode = new AutoGradMode(false);
      try {
        computation.run();
      } finally {
        mode.close();
      }
    });
  }

  /** Runs a part of a computation within {@link #scoped}; of the tensors made in it only its result is kept. */
  static Tensor kept(Supplier<Tensor> part) {
    PointerScope outer = PointerScope.getInnerScope();
    PointerScope inner = new PointerScope();
    try {
      Tensor result = part.get();
      outer.attach(result);
      return result;
    } finally {
      inner.close();
    }
  }

  /** A float64 leaf whose gradient is wanted. */
  static Tensor leaf(float[] values, long... shape) {
    return constant(values, shape).set_requires_grad(true);
  }

  /** A float32 tensor. */
  static Tensor single(float[] values, long... shape) {
    return Tensor.create(values, shape);
  }

  /** A float64 tensor. */
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
    DoubleBuffer buffer = tensor.detach().to(torch.ScalarType.Double).contiguous().createBuffer();
    buffer.get(values);
    return values;
  }

  static double squares(Tensor tensor) {
    return tensor.square().sum().item_double();
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

  /** One row of zeros below and one column to the right of NCHW pictures, as before the VAE's downsampling. */
  static Tensor padBottomRight(Tensor x) {
    return torch.constant_pad_nd(x, new long[] {0, 1, 0, 1}, new Scalar(0.0));
  }

  /** Over the last axis. */
  static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double eps) {
    return torch.layer_norm(
        x, new long[] {x.size(x.dim() - 1)}, new TensorOptional(weight), new TensorOptional(bias), eps, false);
  }

  /** {@code x * sigmoid(1.702 x)}. */
  static Tensor quickGelu(Tensor x) {
    return x.mul(torch.sigmoid(times(x, 1.702)));
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

  /** [N, C, H, W] to [N, H * W, C]. */
  static Tensor tokens(Tensor x) {
    return x.permute(0, 2, 3, 1).reshape(x.size(0), x.size(2) * x.size(3), x.size(1));
  }

  /** [N, H * W, C] back to the shape of {@code like}. */
  static Tensor picture(Tensor x, Tensor like) {
    return x.reshape(like.size(0), like.size(2), like.size(3), like.size(1)).permute(0, 3, 1, 2);
  }

  private static Tensor heads(Tensor x, long heads) {
    return x.reshape(x.size(0), x.size(1), heads, x.size(2) / heads).transpose(1, 2);
  }

  static Tensor upsampleNearest(Tensor x, long height, long width) {
    return torch.upsample_nearest2d(x, new long[] {height, width}, new DoubleOptional(), new DoubleOptional());
  }
}
