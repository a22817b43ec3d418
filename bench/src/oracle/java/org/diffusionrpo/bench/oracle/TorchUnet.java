package org.diffusionrpo.bench.oracle;

import java.util.ArrayDeque;
import java.util.Deque;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The UNet of Stable Diffusion (1.x and XL) as a function of its parameters, on libtorch, NCHW. Names of the
 * parameters, order of the operations and constants are those of diffusers' UNet2DConditionModel.
 */
final class TorchUnet {
  static final int LATENT_CHANNELS = 4;
  static final double NORM_EPS = 1e-5;
  private static final double TRANSFORMER_NORM_EPS = 1e-6;
  private static final int TIME_IDS = 6;

  private final UnetSettings settings;
  private final TorchLayers layers;

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

  TorchUnet(UnetSettings settings, Weights weights) {
    this.settings = settings;
    this.layers = new TorchLayers(weights, settings.groups());
  }

  /** The output, [N, 4, H, W]. */
  Tensor forward(Inputs in) {
    Tensor embedding = Tensors.kept(() -> embedding(in));
    Deque<Tensor> skips = new ArrayDeque<>();
    Tensor x = layers.conv("conv_in", in.sample, settings.channels(0), 3, 1);
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
        x = layers.conv(block + ".downsamplers.0.conv", x, x.size(1), 3, 2);
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
        x = layers.conv(block + ".upsamplers.0.conv", larger, x.size(1), 3, 1);
      }
    }
    return layers.conv("conv_out", torch.silu(layers.groupNorm("conv_norm_out", x, NORM_EPS)), LATENT_CHANNELS, 3, 1);
  }

  private Tensor embedding(Inputs in) {
    long width = 4L * settings.channels(0);
    Tensor sinusoid = sinusoid(in.timesteps, settings.channels(0)).to(in.sample);
    Tensor embedding = mlp("time_embedding", sinusoid, width);
    if (settings.hasAddedEmbedding()) {
      Tensor ids = sinusoid(in.timeIds, settings.timeIdWidth()).to(in.sample).reshape(
          in.timesteps.length, (long) TIME_IDS * settings.timeIdWidth());
      embedding = embedding.add(mlp("add_embedding", Tensors.concat(in.textEmbeds, ids, 1), width));
    }
    return embedding;
  }

  private Tensor mlp(String name, Tensor x, long width) {
    Tensor h = torch.silu(layers.linear(name + ".linear_1", x, width, true));
    return layers.linear(name + ".linear_2", h, width, true);
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
    return Tensors.kept(() -> resnetParts(name, x, embedding, channels));
  }

  private Tensor resnetParts(String name, Tensor x, Tensor embedding, long channels) {
    Tensor h = torch.silu(layers.groupNorm(name + ".norm1", x, NORM_EPS));
    h = layers.conv(name + ".conv1", h, channels, 3, 1);
    Tensor time = layers.linear(name + ".time_emb_proj", torch.silu(embedding), channels, true);
    h = h.add(time.reshape(time.size(0), channels, 1, 1));
    h = torch.silu(layers.groupNorm(name + ".norm2", h, NORM_EPS));
    h = layers.conv(name + ".conv2", h, channels, 3, 1);
    return h.add(x.size(1) == channels ? x : layers.conv(name + ".conv_shortcut", x, channels, 1, 1));
  }

  private Tensor transformer(String name, Tensor x, Tensor context, int level) {
    return Tensors.kept(() -> transformerParts(name, x, context, level));
  }

  private Tensor transformerParts(String name, Tensor x, Tensor context, int level) {
    long channels = x.size(1);
    Tensor h = layers.groupNorm(name + ".norm", x, TRANSFORMER_NORM_EPS);
    h = settings.linearProjection()
        ? layers.linear(name + ".proj_in", Tensors.tokens(h), channels, true)
        : Tensors.tokens(layers.conv(name + ".proj_in", h, channels, 1, 1));
    for (int i = 0; i < settings.depths().get(level); i++) {
      h = block(name + ".transformer_blocks." + i, h, context, level);
    }
    h = settings.linearProjection()
        ? Tensors.picture(layers.linear(name + ".proj_out", h, channels, true), x)
        : layers.conv(name + ".proj_out", Tensors.picture(h, x), channels, 1, 1);
    return h.add(x);
  }

  private Tensor block(String name, Tensor x, Tensor context, int level) {
    return Tensors.kept(() -> {
      Tensor normed = layers.layerNorm(name + ".norm1", x);
      Tensor h = x.add(attention(name + ".attn1", normed, normed, level));
      h = h.add(attention(name + ".attn2", layers.layerNorm(name + ".norm2", h), context, level));
      Tensor wide = layers.linear(name + ".ff.net.0.proj", layers.layerNorm(name + ".norm3", h), 8 * x.size(2), true);
      return h.add(layers.linear(name + ".ff.net.2", Tensors.geglu(wide), x.size(2), true));
    });
  }

  private Tensor attention(String name, Tensor x, Tensor context, int level) {
    long width = x.size(2);
    Tensor q = layers.linear(name + ".to_q", x, width, false);
    Tensor k = layers.linear(name + ".to_k", context, width, false);
    Tensor v = layers.linear(name + ".to_v", context, width, false);
    Tensor h = Tensors.attention(q, k, v, settings.heads().get(level), false);
    return layers.linear(name + ".to_out.0", h, width, true);
  }
}
