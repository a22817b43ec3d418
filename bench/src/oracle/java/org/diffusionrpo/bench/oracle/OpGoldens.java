package org.diffusionrpo.bench.oracle;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.diffusionrpo.tensor.Philox;

/**
 * Single operations with all their gradients. A case {@code c} is stored as
 * <pre>
 *   c.x, c.w, ...     inputs, standard normal times a scale, plus a shift; F32
 *   c.y               output
 *   c.dy              gradient of the output, standard normal
 *   c.dx, c.dw, ...   gradient of sum(y * dy) for each input
 * </pre>
 * and its settings stand in the metadata under {@code c}. Layouts are those of PyTorch: pictures NCHW, convolution
 * weights OIHW, linear weights [out, in]; attention takes q [B, Tq, heads * d] and k, v [B, Tk, heads * d]. Sizes are
 * odd where they can be, so that tiles and vectors have tails.
 */
final class OpGoldens {
  private static final long SEED = 20_240_601;

  private final GoldenFile file = new GoldenFile();

  private OpGoldens() {}

  /** One operation on inputs in the order of their list. */
  @FunctionalInterface
  private interface Op {
    Tensor apply(Tensor... in);
  }

  private record Input(String name, float scale, float shift, long... shape) {}

  static void write(Path path) throws IOException {
    OpGoldens goldens = new OpGoldens();
    goldens.convolutions();
    goldens.norms();
    goldens.activations();
    goldens.attentions();
    goldens.others();
    goldens.file.write(path);
  }

  private void convolutions() {
    conv("conv3x3", 1, 1, new long[] {2, 5, 9, 7}, 6, 3);
    conv("conv3x3_wide", 1, 1, new long[] {1, 20, 6, 11}, 37, 3);
    conv("conv3x3_stride2", 2, 1, new long[] {2, 5, 9, 7}, 6, 3);
    conv("conv3x3_stride2_even", 2, 1, new long[] {1, 4, 8, 6}, 5, 3);
    conv("conv1x1", 1, 0, new long[] {2, 7, 5, 3}, 9, 1);
    add("conv3x3_stride2_asymmetric", "conv2d stride=2 top=0 left=0 bottom=1 right=1",
        List.of(gaussian("x", 2, 5, 8, 7), weight("w", 6, 5, 3, 3), gaussian("b", 6)),
        in -> Tensors.conv2d(Tensors.padBottomRight(in[0]), in[1], in[2], 2, 0));
    add("linear", "linear", List.of(gaussian("x", 13, 37), weight("w", 41, 37), gaussian("b", 41)),
        in -> torch.linear(in[0], in[1], in[2]));
  }

  private void conv(String name, long stride, long padding, long[] x, long outChannels, long kernel) {
    String settings = String.format("conv2d stride=%d top=%d left=%d bottom=%d right=%d",
        stride, padding, padding, padding, padding);
    add(name, settings,
        List.of(gaussian("x", x), weight("w", outChannels, x[1], kernel, kernel), gaussian("b", outChannels)),
        in -> Tensors.conv2d(in[0], in[1], in[2], stride, padding));
  }

  private void norms() {
    groupNorm("group_norm", 4, 1e-5, new Input("x", 2, 0.5f, 2, 12, 5, 7));
    groupNorm("group_norm_large_mean", 8, 1e-6, new Input("x", 0.5f, 20, 1, 40, 3, 5));
    groupNorm("group_norm_single_channels", 6, 1e-5, new Input("x", 1, 0, 2, 6, 3, 3));
    groupNormSilu("group_norm_silu", 4, 1e-5, new Input("x", 2, 0.5f, 2, 20, 5, 7));
    layerNorm("layer_norm", new Input("x", 2, 0.5f, 2, 9, 40));
    layerNorm("layer_norm_odd", new Input("x", 1, 20, 11, 17));
  }

  private void groupNorm(String name, long groups, double eps, Input x) {
    long channels = x.shape[1];
    add(name, "group_norm groups=" + groups + " eps=" + eps,
        List.of(x, new Input("gamma", 0.3f, 1, channels), gaussian("beta", channels)),
        in -> Tensors.groupNorm(in[0], groups, in[1], in[2], eps));
  }

  private void groupNormSilu(String name, long groups, double eps, Input x) {
    long channels = x.shape[1];
    add(name, "group_norm_silu groups=" + groups + " eps=" + eps,
        List.of(x, new Input("gamma", 0.3f, 1, channels), gaussian("beta", channels)),
        in -> torch.silu(Tensors.groupNorm(in[0], groups, in[1], in[2], eps)));
  }

  private void layerNorm(String name, Input x) {
    long columns = x.shape[x.shape.length - 1];
    add(name, "layer_norm eps=1.0E-5", List.of(x, new Input("gamma", 0.3f, 1, columns), gaussian("beta", columns)),
        in -> Tensors.layerNorm(in[0], in[1], in[2], 1e-5));
  }

  private void activations() {
    add("gelu", "gelu erf", List.of(new Input("x", 4, 0, 3, 337)), in -> torch.gelu(in[0]));
    add("quick_gelu", "x * sigmoid(1.702 x)", List.of(new Input("x", 4, 0, 3, 337)),
        in -> Tensors.quickGelu(in[0]));
    add("silu", "silu", List.of(new Input("x", 8, 0, 3, 337)), in -> torch.silu(in[0]));
    add("geglu", "first half * gelu(second half)", List.of(new Input("x", 2, 0, 13, 2 * 39)),
        in -> Tensors.geglu(in[0]));
  }

  private void attentions() {
    attention("attention_self", 2, 35, 35, 3, 5, false);
    attention("attention_self_long", 1, 131, 131, 1, 40, false);
    attention("attention_cross", 2, 33, 77, 2, 20, false);
    attention("attention_causal", 2, 77, 77, 2, 16, true);
  }

  private void attention(String name, long samples, long queries, long keys, long heads, long width, boolean causal) {
    add(name, "attention heads=" + heads + " causal=" + causal,
        List.of(gaussian("q", samples, queries, heads * width), gaussian("k", samples, keys, heads * width),
            gaussian("v", samples, keys, heads * width)),
        in -> Tensors.attention(in[0], in[1], in[2], heads, causal));
  }

  private void others() {
    add("upsample_twice", "upsample_nearest height=10 width=14", List.of(gaussian("x", 2, 3, 5, 7)),
        in -> Tensors.upsampleNearest(in[0], 10, 14));
    add("upsample_forced", "upsample_nearest height=9 width=7", List.of(gaussian("x", 2, 3, 5, 4)),
        in -> Tensors.upsampleNearest(in[0], 9, 7));
  }

  private void add(String name, String settings, List<Input> inputs, Op op) {
    Tensors.scoped(() -> {
      Tensor[] in = new Tensor[inputs.size()];
      for (int i = 0; i < in.length; i++) {
        in[i] = draw(name, inputs.get(i)).set_requires_grad(true);
        file.put(name + "." + inputs.get(i).name, in[i]);
      }
      Tensor y = op.apply(in);
      Tensor dy = draw(name, gaussian("dy", Tensors.shape(y)));
      y.mul(dy).sum().backward();
      file.put(name + ".y", y);
      file.put(name + ".dy", dy);
      for (int i = 0; i < in.length; i++) {
        file.put(name + ".d" + inputs.get(i).name, in[i].grad());
      }
      file.note(name, settings);
    });
  }

  private static Tensor draw(String name, Input input) {
    float[] values = new float[Tensors.elements(input.shape)];
    Philox.stream(SEED, name + "." + input.name, 0).fillGaussian(values);
    for (int i = 0; i < values.length; i++) {
      values[i] = values[i] * input.scale + input.shift;
    }
    return Tensors.constant(values, input.shape);
  }

  private static Input gaussian(String name, long... shape) {
    return new Input(name, 1, 0, shape);
  }

  /** Scaled so that outputs have about unit size; the first axis counts outputs. */
  private static Input weight(String name, long... shape) {
    return new Input(name, (float) Math.sqrt((double) shape[0] / Tensors.elements(shape)), 0, shape);
  }
}
