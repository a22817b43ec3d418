package org.diffusionrpo.bench.oracle;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The autoencoder of Stable Diffusion as two functions of its parameters, on libtorch, NCHW. Names of the parameters,
 * order of the operations and constants are those of diffusers' AutoencoderKL.
 */
final class TorchVae {
  static final int LATENT_CHANNELS = 4;
  static final int PICTURE_CHANNELS = 3;
  private static final double NORM_EPS = 1e-6;

  private final VaeSettings settings;
  private final TorchLayers layers;

  TorchVae(VaeSettings settings, Weights weights) {
    this.settings = settings;
    this.layers = new TorchLayers(weights, settings.groups());
  }

  /** Pictures [N, 3, H, W] to moments [N, 8, H / f, W / f]: mean, then log variance. */
  Tensor encode(Tensor pictures) {
    int last = settings.levels() - 1;
    Tensor x = layers.conv("encoder.conv_in", pictures, settings.channels(0), 3, 1);
    for (int level = 0; level <= last; level++) {
      String block = "encoder.down_blocks." + level;
      for (int layer = 0; layer < settings.layers(); layer++) {
        x = resnet(block + ".resnets." + layer, x, settings.channels(level));
      }
      if (level < last) {
        x = layers.conv(block + ".downsamplers.0.conv", Tensors.padBottomRight(x), x.size(1), 3, 2, 0);
      }
    }
    x = middle("encoder.mid_block", x);
    x = torch.silu(layers.groupNorm("encoder.conv_norm_out", x, NORM_EPS));
    x = layers.conv("encoder.conv_out", x, 2 * LATENT_CHANNELS, 3, 1);
    return layers.conv("quant_conv", x, 2 * LATENT_CHANNELS, 1, 1);
  }

  /** Unscaled latents [N, 4, h, w] to pictures [N, 3, f h, f w]. */
  Tensor decode(Tensor latents) {
    int last = settings.levels() - 1;
    Tensor x = layers.conv("post_quant_conv", latents, LATENT_CHANNELS, 1, 1);
    x = layers.conv("decoder.conv_in", x, settings.channels(last), 3, 1);
    x = middle("decoder.mid_block", x);
    for (int level = last; level >= 0; level--) {
      String block = "decoder.up_blocks." + (last - level);
      for (int layer = 0; layer <= settings.layers(); layer++) {
        x = resnet(block + ".resnets." + layer, x, settings.channels(level));
      }
      if (level > 0) {
        Tensor larger = Tensors.upsampleNearest(x, 2 * x.size(2), 2 * x.size(3));
        x = layers.conv(block + ".upsamplers.0.conv", larger, x.size(1), 3, 1);
      }
    }
    x = torch.silu(layers.groupNorm("decoder.conv_norm_out", x, NORM_EPS));
    return layers.conv("decoder.conv_out", x, PICTURE_CHANNELS, 3, 1);
  }

  private Tensor middle(String name, Tensor x) {
    Tensor h = resnet(name + ".resnets.0", x, x.size(1));
    h = attention(name + ".attentions.0", h);
    return resnet(name + ".resnets.1", h, x.size(1));
  }

  private Tensor resnet(String name, Tensor x, long channels) {
    return Tensors.kept(() -> {
      Tensor h = torch.silu(layers.groupNorm(name + ".norm1", x, NORM_EPS));
      h = layers.conv(name + ".conv1", h, channels, 3, 1);
      h = torch.silu(layers.groupNorm(name + ".norm2", h, NORM_EPS));
      h = layers.conv(name + ".conv2", h, channels, 3, 1);
      return h.add(x.size(1) == channels ? x : layers.conv(name + ".conv_shortcut", x, channels, 1, 1));
    });
  }

  /** One head over all pixels. */
  private Tensor attention(String name, Tensor x) {
    return Tensors.kept(() -> {
      Tensor h = Tensors.tokens(layers.groupNorm(name + ".group_norm", x, NORM_EPS));
      Tensor q = layers.linear(name + ".to_q", h, x.size(1), true);
      Tensor k = layers.linear(name + ".to_k", h, x.size(1), true);
      Tensor v = layers.linear(name + ".to_v", h, x.size(1), true);
      h = layers.linear(name + ".to_out.0", Tensors.attention(q, k, v, 1, false), x.size(1), true);
      return x.add(Tensors.picture(h, x));
    });
  }
}
