package org.diffusionrpo.diffusion.vae;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.diffusionrpo.diffusion.io.ModelConfig;

/** The fields of an AutoencoderKL's config.json that shape the network. */
public record VaeConfig(
    int inChannels,
    int outChannels,
    int latentChannels,
    List<Integer> blockOutChannels,
    int layersPerBlock,
    int normNumGroups,
    int sampleSize,
    float scalingFactor) {

  public static VaeConfig from(ModelConfig config) {
    List<Integer> channels = Arrays.stream(config.integers("block_out_channels")).boxed().toList();
    config.onlySupports("act_fn", Set.of("silu", "swish"));
    config.onlySupports("use_quant_conv", Set.of("true"));
    config.onlySupports("use_post_quant_conv", Set.of("true"));
    config.onlySupports("mid_block_add_attention", Set.of("true"));
    for (String key : List.of("shift_factor", "latents_mean", "latents_std")) {
      config.onlySupports(key, Set.of());
    }
    blockTypes(config, "down_block_types", channels.size(), "DownEncoderBlock2D");
    blockTypes(config, "up_block_types", channels.size(), "UpDecoderBlock2D");
    return new VaeConfig(
        config.integer("in_channels", 3),
        config.integer("out_channels", 3),
        config.integer("latent_channels", 4),
        channels,
        config.integer("layers_per_block", 1),
        config.integer("norm_num_groups", 32),
        config.integer("sample_size", 32),
        config.number("scaling_factor", 0.18215f));
  }

  /** Pixels per latent along one side: 2 for each level but the last. */
  public int factor() {
    return 1 << (blockOutChannels.size() - 1);
  }

  private static void blockTypes(ModelConfig config, String key, int levels, String type) {
    String[] types = config.texts(key);
    if (types.length != levels || !Arrays.stream(types).allMatch(type::equals)) {
      throw new IllegalArgumentException(config.source() + ": " + key + " = " + Arrays.toString(types) + ": expected "
          + levels + " times " + type);
    }
  }
}
