package org.diffusionrpo.bench.versus;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.diffusionrpo.diffusion.unet.UNetConfig;

/**
 * The UNet of Stable Diffusion 1.x with random weights, on libtorch in float32 NCHW; names and order of the operations
 * are those of diffusers' UNet2DConditionModel. For its speed: every tensor is closed where Python would drop it.
 */
final class TorchUNet {
  private static final double TRANSFORMER_NORM_EPS = 1e-6;

  private final UNetConfig config;
  private final Map<String, Tensor> parameters = new LinkedHashMap<>();

  /** A first pass over a small picture finds out which parameters there are. */
  TorchUNet(UNetConfig config) {
    if (config.addedTextTime() || config.linearProjection()) {
      throw new IllegalArgumentException("TorchUNet: only UNets of Stable Diffusion 1.x");
    }
    this.config = config;
    long side = 1L << (config.blockOutChannels().size() - 1);
    try (AutoGradMode off = new AutoGradMode(false)) {
      forward(torch.zeros(1, config.inChannels(), side, side), new float[1],
          torch.zeros(1, 1, config.crossAttentionDim())).close();
    }
  }

  Tensor[] parameters() {
    return parameters.values().toArray(Tensor[]::new);
  }

  /** Takes over the values of a network with the same configuration. */
  void copyFrom(TorchUNet other) {
    parameters.forEach((name, parameter) -> parameter.copy_(other.parameters.get(name)));
  }

  void requireGrad() {
    parameters.values().forEach(parameter -> parameter.set_requires_grad(true));
  }

  /** x [N, C, H, W] and context [N, T, X] to [N, C, H, W]; H and W are multiples of the downsampling. */
  Tensor forward(Tensor x, float[] timesteps, Tensor context) {
    Tensor time = TorchOps.consume(embedding(timesteps), torch::silu);
    List<Integer> channels = config.blockOutChannels();
    int last = channels.size() - 1;
    Deque<Tensor> skips = new ArrayDeque<>();
    Tensor h = conv("conv_in", x, channels.get(0), 3, 1);
    skips.push(h);
    for (int level = 0; level <= last; level++) {
      String block = "down_blocks." + level;
      for (int layer = 0; layer < config.layersPerBlock(); layer++) {
        h = resnet(block + ".resnets." + layer, h, time, channels.get(level));
        if (config.downAttention().get(level)) {
          h = attend(block + ".attentions." + layer, h, context, level);
        }
        skips.push(h);
      }
      if (level < last) {
        h = conv(block + ".downsamplers.0.conv", h, channels.get(level), 3, 2);
        skips.push(h);
      }
    }
    h = resnet("mid_block.resnets.0", h, time, channels.get(last));
    h = attend("mid_block.attentions.0", h, context, last);
    h = TorchOps.consume(h, t -> resnet("mid_block.resnets.1", t, time, channels.get(last)));
    for (int i = 0; i <= last; i++) {
      int level = last - i;
      String block = "up_blocks." + i;
      for (int layer = 0; layer <= config.layersPerBlock(); layer++) {
        String resnet = block + ".resnets." + layer;
        h = TorchOps.consume(TorchOps.concat(h, skips.pop()), t -> resnet(resnet, t, time, channels.get(level)));
        if (config.upAttention().get(i)) {
          h = attend(block + ".attentions." + layer, h, context, level);
        }
      }
      if (level > 0) {
        h = TorchOps.consume(h, t -> TorchOps.upsampleNearest(t, 2 * t.size(2), 2 * t.size(3)));
        h = TorchOps.consume(h, t -> conv(block + ".upsamplers.0.conv", t, channels.get(level), 3, 1));
      }
    }
    time.close();
    h = TorchOps.consume(h, t -> groupNorm("conv_norm_out", t, config.normEps()));
    h = TorchOps.consume(h, torch::silu);
    return TorchOps.consume(h, t -> conv("conv_out", t, config.outChannels(), 3, 1));
  }

  private Tensor embedding(float[] timesteps) {
    int dim = config.blockOutChannels().get(0);
    Tensor h = Tensor.create(sinusoid(timesteps, dim), timesteps.length, dim);
    h = TorchOps.consume(h, t -> linear("time_embedding.linear_1", t, config.timeEmbedDim(), true));
    h = TorchOps.consume(h, torch::silu);
    return TorchOps.consume(h, t -> linear("time_embedding.linear_2", t, config.timeEmbedDim(), true));
  }

  /** [cos, sin] of {@code t * 10000^(-k / (dim / 2))}. */
  private static float[] sinusoid(float[] timesteps, int dim) {
    float[] values = new float[timesteps.length * dim];
    int half = dim / 2;
    for (int n = 0; n < timesteps.length; n++) {
      for (int k = 0; k < half; k++) {
        double angle = timesteps[n] * Math.exp(-Math.log(10_000) * k / half);
        values[n * dim + k] = (float) Math.cos(angle);
        values[n * dim + half + k] = (float) Math.sin(angle);
      }
    }
    return values;
  }

  /** x stays open. */
  private Tensor resnet(String name, Tensor x, Tensor time, long channels) {
    Tensor h = TorchOps.consume(groupNorm(name + ".norm1", x, config.normEps()), torch::silu);
    h = TorchOps.consume(h, t -> conv(name + ".conv1", t, channels, 3, 1));
    Tensor shift = TorchOps.consume(linear(name + ".time_emb_proj", time, channels, true),
        t -> t.view(t.size(0), channels, 1, 1));
    h = TorchOps.addTo(h, shift);
    shift.close();
    h = TorchOps.consume(h, t -> groupNorm(name + ".norm2", t, config.normEps()));
    h = TorchOps.consume(h, torch::silu);
    h = TorchOps.consume(h, t -> conv(name + ".conv2", t, channels, 3, 1));
    if (x.size(1) == channels) {
      return TorchOps.addTo(h, x);
    }
    Tensor shortcut = conv(name + ".conv_shortcut", x, channels, 1, 1);
    h = TorchOps.addTo(h, shortcut);
    shortcut.close();
    return h;
  }

  /** The transformer of a level; x is closed. */
  private Tensor attend(String name, Tensor x, Tensor context, int level) {
    long channels = x.size(1);
    long height = x.size(2);
    long width = x.size(3);
    Tensor h = groupNorm(name + ".norm", x, TRANSFORMER_NORM_EPS);
    h = TorchOps.consume(h, t -> conv(name + ".proj_in", t, channels, 1, 1));
    h = TorchOps.consume(h, t -> t.permute(0, 2, 3, 1));
    h = TorchOps.consume(h, t -> t.reshape(t.size(0), height * width, channels));
    for (int i = 0; i < config.transformerLayers().get(level); i++) {
      String block = name + ".transformer_blocks." + i;
      h = transformerBlock(block, h, context, config.heads().get(level));
    }
    h = TorchOps.consume(h, t -> t.reshape(t.size(0), height, width, channels));
    h = TorchOps.consume(h, t -> t.permute(0, 3, 1, 2));
    h = TorchOps.consume(h, Tensor::contiguous);
    h = TorchOps.consume(h, t -> conv(name + ".proj_out", t, channels, 1, 1));
    h = TorchOps.addTo(h, x);
    x.close();
    return h;
  }

  private Tensor transformerBlock(String name, Tensor x, Tensor context, long heads) {
    Tensor h = TorchOps.consume(layerNorm(name + ".norm1", x), t -> attention(name + ".attn1", t, t, heads));
    Tensor self = TorchOps.addTo(h, x);
    x.close();
    h = TorchOps.consume(layerNorm(name + ".norm2", self), t -> attention(name + ".attn2", t, context, heads));
    Tensor cross = TorchOps.addTo(h, self);
    self.close();
    long channels = cross.size(2);
    h = layerNorm(name + ".norm3", cross);
    h = TorchOps.consume(h, t -> linear(name + ".ff.net.0.proj", t, 8 * channels, true));
    h = TorchOps.consume(h, TorchOps::geglu);
    h = TorchOps.consume(h, t -> linear(name + ".ff.net.2", t, channels, true));
    h = TorchOps.addTo(h, cross);
    cross.close();
    return h;
  }

  private Tensor attention(String name, Tensor x, Tensor context, long heads) {
    long channels = x.size(2);
    Tensor q = heads(linear(name + ".to_q", x, channels, false), heads);
    Tensor k = heads(linear(name + ".to_k", context, channels, false), heads);
    Tensor v = heads(linear(name + ".to_v", context, channels, false), heads);
    Tensor h = TorchOps.attention(q, k, v);
    q.close();
    k.close();
    v.close();
    h = TorchOps.consume(h, t -> t.transpose(1, 2));
    h = TorchOps.consume(h, t -> t.reshape(t.size(0), t.size(1), channels));
    return TorchOps.consume(h, t -> linear(name + ".to_out.0", t, channels, true));
  }

  /** [N, T, C] to [N, heads, T, C / heads]; x is closed. */
  private static Tensor heads(Tensor x, long heads) {
    Tensor split = TorchOps.consume(x, t -> t.view(t.size(0), t.size(1), heads, t.size(2) / heads));
    return TorchOps.consume(split, t -> t.transpose(1, 2));
  }

  private Tensor conv(String name, Tensor x, long filters, long kernel, long stride) {
    Tensor weight = parameter(name + ".weight", filters, x.size(1), kernel, kernel);
    return TorchOps.conv2d(x, weight, parameter(name + ".bias", filters), stride);
  }

  private Tensor linear(String name, Tensor x, long out, boolean bias) {
    Tensor weight = parameter(name + ".weight", out, x.size(-1));
    return bias ? TorchOps.linear(x, weight, parameter(name + ".bias", out)) : torch.linear(x, weight);
  }

  private Tensor groupNorm(String name, Tensor x, double eps) {
    long channels = x.size(1);
    return TorchOps.groupNorm(x, config.normNumGroups(), parameter(name + ".weight", channels),
        parameter(name + ".bias", channels), eps);
  }

  private Tensor layerNorm(String name, Tensor x) {
    return TorchOps.layerNorm(x, parameter(name + ".weight", x.size(2)), parameter(name + ".bias", x.size(2)));
  }

  /** Gaussian, scaled by the fan-in so that activations keep their size. */
  private Tensor parameter(String name, long... shape) {
    return parameters.computeIfAbsent(name, missing -> {
      long fanIn = 1;
      for (int axis = 1; axis < shape.length; axis++) {
        fanIn *= shape[axis];
      }
      return torch.randn(shape).mul_(new Scalar(1 / Math.sqrt(fanIn)));
    });
  }
}
