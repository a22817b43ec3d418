package org.diffusionrpo.bench.oracle;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The UNet of Stable Diffusion (1.x and XL) as a function of its parameters, on libtorch in float64, NCHW. Names of the
 * parameters, order of the operations and constants are those of diffusers' UNet2DConditionModel.
 */
final class TorchUnet {
  static final int LATENT_CHANNELS = 4;
  static final double NORM_EPS = 1e-5;
  private static final double TRANSFORMER_NORM_EPS = 1e-6;
  private static final double LAYER_NORM_EPS = 1e-5;
  private static final int TIME_IDS = 6;

  private final UnetSettings settings;
  /** In byte order of the names, as the fill rule wants them. */
  private final Map<String, Tensor> parameters = new TreeMap<>();

  /**
   * The inputs of a forward pass.
   *
   * @param sample [N, 4, H, W]
   * @param timesteps [N]
   * @param context [N, T, contextWidth]
   * @param textEmbeds [N, addedWidth - 6 * timeIdWidth]; null without added embedding
   * @param timeIds [N * 6]; null without added embedding
   */
  record Inputs(Tensor sample, long[] timesteps, Tensor context, Tensor textEmbeds, long[] timeIds) {}

  /** A network with weights by the {@link FillRule}; a first pass over zeros finds out which there are. */
  TorchUnet(UnetSettings settings, Inputs inputs) {
    this.settings = settings;
    forward(inputs);
    int counter = 0;
    for (Map.Entry<String, Tensor> parameter : parameters.entrySet()) {
      long[] shape = Tensors.shape(parameter.getValue());
      float[] values = FillRule.weight(parameter.getKey(), shape, counter);
      counter += values.length;
      parameter.setValue(Tensors.leaf(values, shape));
    }
  }

  Map<String, Tensor> parameters() {
    return parameters;
  }

  /** The output, [N, 4, H, W]. */
  Tensor forward(Inputs in) {
    Tensor embedding = embedding(in);
    Deque<Tensor> skips = new ArrayDeque<>();
    Tensor x = conv("conv_in", in.sample, settings.channels(0), 3, 1);
    skips.push(x);
    for (int level = 0; level < settings.levels(); level++) {
      String block = "down_blocks." + level;
      for (int layer = 0; layer < settings.layers(); layer++) {
        x = resnet(block + ".resnets." + layer, x, embedding, settings.channels(level));
        if (settings.attends().get(level)) {
          x = transformer(block + ".attentions." + layer, x, in.context, level);
        }
        skips.push(x);
      }
      if (level < settings.levels() - 1) {
        x = conv(block + ".downsamplers.0.conv", x, x.size(1), 3, 2);
        skips.push(x);
      }
    }
    int last = settings.levels() - 1;
    x = resnet("mid_block.resnets.0", x, embedding, settings.channels(last));
    x = transformer("mid_block.attentions.0", x, in.context, last);
    x = resnet("mid_block.resnets.1", x, embedding, settings.channels(last));
    for (int level = last; level >= 0; level--) {
      String block = "up_blocks." + (last - level);
      for (int layer = 0; layer <= settings.layers(); layer++) {
        Tensor joined = Tensors.concat(x, skips.pop(), 1);
        x = resnet(block + ".resnets." + layer, joined, embedding, settings.channels(level));
        if (settings.attends().get(level)) {
          x = transformer(block + ".attentions." + layer, x, in.context, level);
        }
      }
      if (level > 0) { // the next skip has the size to reach, which is not the double of an odd one's half
        Tensor larger = Tensors.upsampleNearest(x, skips.peek().size(2), skips.peek().size(3));
        x = conv(block + ".upsamplers.0.conv", larger, x.size(1), 3, 1);
      }
    }
    return conv("conv_out", torch.silu(groupNorm("conv_norm_out", x, NORM_EPS)), LATENT_CHANNELS, 3, 1);
  }

  private Tensor embedding(Inputs in) {
    long width = 4L * settings.channels(0);
    Tensor sinusoid = sinusoid(in.timesteps, settings.channels(0));
    Tensor embedding = mlp("time_embedding", sinusoid, width);
    if (settings.hasAddedEmbedding()) {
      Tensor ids = sinusoid(in.timeIds, settings.timeIdWidth())
          .reshape(in.timesteps.length, (long) TIME_IDS * settings.timeIdWidth());
      embedding = embedding.add(mlp("add_embedding", Tensors.concat(in.textEmbeds, ids, 1), width));
    }
    return embedding;
  }

  private Tensor mlp(String name, Tensor x, long width) {
    return linear(name + ".linear_2", torch.silu(linear(name + ".linear_1", x, width, true)), width, true);
  }

  /** [cos, sin] of {@code t * 10000^(-k / (width / 2))}; the angle is a float, as in diffusers. */
  private static Tensor sinusoid(long[] times, int width) {
    int half = width / 2;
    float[] values = new float[times.length * width];
    for (int i = 0; i < times.length; i++) {
      for (int k = 0; k < half; k++) {
        float angle = times[i] * (float) Math.exp((float) -Math.log(10000) * k / half);
        values[i * width + k] = (float) Math.cos(angle);
        values[i * width + half + k] = (float) Math.sin(angle);
      }
    }
    return Tensors.constant(values, times.length, width);
  }

  private Tensor resnet(String name, Tensor x, Tensor embedding, long channels) {
    Tensor h = torch.silu(groupNorm(name + ".norm1", x, NORM_EPS));
    h = conv(name + ".conv1", h, channels, 3, 1);
    Tensor time = linear(name + ".time_emb_proj", torch.silu(embedding), channels, true);
    h = h.add(time.reshape(time.size(0), channels, 1, 1));
    h = torch.silu(groupNorm(name + ".norm2", h, NORM_EPS));
    h = conv(name + ".conv2", h, channels, 3, 1);
    return h.add(x.size(1) == channels ? x : conv(name + ".conv_shortcut", x, channels, 1, 1));
  }

  private Tensor transformer(String name, Tensor x, Tensor context, int level) {
    long channels = x.size(1);
    Tensor h = groupNorm(name + ".norm", x, TRANSFORMER_NORM_EPS);
    h = settings.linearProjection()
        ? linear(name + ".proj_in", tokens(h), channels, true)
        : tokens(conv(name + ".proj_in", h, channels, 1, 1));
    for (int i = 0; i < settings.depths().get(level); i++) {
      String block = name + ".transformer_blocks." + i;
      Tensor normed = layerNorm(block + ".norm1", h);
      h = h.add(attention(block + ".attn1", normed, normed, level));
      h = h.add(attention(block + ".attn2", layerNorm(block + ".norm2", h), context, level));
      Tensor wide = linear(block + ".ff.net.0.proj", layerNorm(block + ".norm3", h), 8 * channels, true);
      h = h.add(linear(block + ".ff.net.2", Tensors.geglu(wide), channels, true));
    }
    h = settings.linearProjection()
        ? picture(linear(name + ".proj_out", h, channels, true), x)
        : conv(name + ".proj_out", picture(h, x), channels, 1, 1);
    return h.add(x);
  }

  private Tensor attention(String name, Tensor x, Tensor context, int level) {
    long width = x.size(2);
    Tensor q = linear(name + ".to_q", x, width, false);
    Tensor k = linear(name + ".to_k", context, width, false);
    Tensor v = linear(name + ".to_v", context, width, false);
    return linear(name + ".to_out.0", Tensors.attention(q, k, v, settings.heads().get(level), false), width, true);
  }

  /** [N, C, H, W] to [N, H * W, C]. */
  private static Tensor tokens(Tensor x) {
    return x.permute(0, 2, 3, 1).reshape(x.size(0), x.size(2) * x.size(3), x.size(1));
  }

  /** [N, H * W, C] back to the shape of {@code like}. */
  private static Tensor picture(Tensor x, Tensor like) {
    return x.reshape(like.size(0), like.size(2), like.size(3), like.size(1)).permute(0, 3, 1, 2);
  }

  private Tensor conv(String name, Tensor x, long outChannels, long kernel, long stride) {
    Tensor weight = parameter(name + ".weight", outChannels, x.size(1), kernel, kernel);
    return Tensors.conv2d(x, weight, parameter(name + ".bias", outChannels), stride, kernel / 2);
  }

  private Tensor linear(String name, Tensor x, long outWidth, boolean bias) {
    Tensor weight = parameter(name + ".weight", outWidth, x.size(x.dim() - 1));
    return bias ? torch.linear(x, weight, parameter(name + ".bias", outWidth)) : torch.linear(x, weight);
  }

  private Tensor groupNorm(String name, Tensor x, double eps) {
    long channels = x.size(1);
    return Tensors.groupNorm(
        x, settings.groups(), parameter(name + ".weight", channels), parameter(name + ".bias", channels), eps);
  }

  private Tensor layerNorm(String name, Tensor x) {
    long width = x.size(2);
    return Tensors.layerNorm(x, parameter(name + ".weight", width), parameter(name + ".bias", width), LAYER_NORM_EPS);
  }

  private Tensor parameter(String name, long... shape) {
    return parameters.computeIfAbsent(
        name, missing -> Tensors.constant(new float[Tensors.elements(shape)], shape));
  }
}
