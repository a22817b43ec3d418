package org.diffusionrpo.diffusion.vae;

import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.block.Downsample2D;
import org.diffusionrpo.diffusion.block.ResnetLayer;
import org.diffusionrpo.tensor.nn.Conv2d;
import org.diffusionrpo.tensor.nn.GroupNorm;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Sequential;

/**
 * Image to latent moments; {@code encoder} of AutoencoderKL.
 * <pre>
 *   x [N, H, W, 3]     y [N, H / f, W / f, 2 Z], mean and log variance
 * </pre>
 */
final class Encoder {
  private Encoder() {}

  static Layer build(Parameters.Path path, VaeConfig config) {
    List<Integer> channels = config.blockOutChannels();
    int groups = config.normNumGroups();
    int levels = channels.size();
    List<Layer> layers = new ArrayList<>();
    layers.add(Conv2d.same3x3(path.at("conv_in"), config.inChannels(), channels.get(0)));
    int in = channels.get(0);
    for (int i = 0; i < levels; i++) {
      Parameters.Path level = path.at("down_blocks", i);
      int out = channels.get(i);
      for (int j = 0; j < config.layersPerBlock(); j++) {
        layers.add(new ResnetLayer(level.at("resnets", j), j == 0 ? in : out, out, groups, AutoencoderKL.EPS));
      }
      if (i < levels - 1) {
        layers.add(Downsample2D.paddedAtEnd(level.at("downsamplers", 0), out));
      }
      in = out;
    }
    layers.add(new VaeMidBlock(path.at("mid_block"), in, groups));
    layers.add(GroupNorm.withSilu(path.at("conv_norm_out"), groups, in, AutoencoderKL.EPS));
    layers.add(Conv2d.same3x3(path.at("conv_out"), in, 2 * config.latentChannels()));
    return new Sequential(layers);
  }
}
