package org.diffusionrpo.diffusion.vae;

import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.block.ResnetLayer;
import org.diffusionrpo.diffusion.block.Upsample2D;
import org.diffusionrpo.tensor.nn.Conv2d;
import org.diffusionrpo.tensor.nn.GroupNorm;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Sequential;

/**
 * Latent to image; {@code decoder} of AutoencoderKL. Levels run from low to high resolution, each with one residual
 * block more than the encoder's.
 * <pre>
 *   z [N, h, w, Z]     y [N, h * f, w * f, 3]
 * </pre>
 */
final class Decoder {
  private Decoder() {}

  static Layer build(Parameters.Path path, VaeConfig config) {
    List<Integer> channels = config.blockOutChannels();
    int groups = config.normNumGroups();
    int levels = channels.size();
    int in = channels.get(levels - 1);
    List<Layer> layers = new ArrayList<>();
    layers.add(Conv2d.same3x3(path.at("conv_in"), config.latentChannels(), in));
    layers.add(new VaeMidBlock(path.at("mid_block"), in, groups));
    for (int i = 0; i < levels; i++) {
      Parameters.Path level = path.at("up_blocks", i);
      int out = channels.get(levels - 1 - i);
      for (int j = 0; j <= config.layersPerBlock(); j++) {
        layers.add(new ResnetLayer(level.at("resnets", j), j == 0 ? in : out, out, groups, AutoencoderKL.EPS));
      }
      if (i < levels - 1) {
        layers.add(Upsample2D.doubling(level.at("upsamplers", 0), out));
      }
      in = out;
    }
    layers.add(GroupNorm.withSilu(path.at("conv_norm_out"), groups, in, AutoencoderKL.EPS));
    layers.add(Conv2d.same3x3(path.at("conv_out"), in, config.outChannels()));
    return new Sequential(layers);
  }
}
