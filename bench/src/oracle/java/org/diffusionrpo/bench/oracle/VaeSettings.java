package org.diffusionrpo.bench.oracle;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The shape of an autoencoder; {@code channels} has one entry for each level, from the full resolution down. */
record VaeSettings(List<Integer> channels, int layers, int groups) {
  /** Of Stable Diffusion 1.x and XL. */
  static final VaeSettings STABLE_DIFFUSION = new VaeSettings(List.of(128, 256, 512, 512), 2, 32);

  int levels() {
    return channels.size();
  }

  int channels(int level) {
    return channels.get(level);
  }

  /** Pixels per latent along a side. */
  int factor() {
    return 1 << (levels() - 1);
  }

  /** The content of config.json as diffusers writes it. */
  Map<String, Object> config() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("_class_name", "AutoencoderKL");
    config.put("act_fn", "silu");
    config.put("block_out_channels", channels);
    config.put("down_block_types", Collections.nCopies(levels(), "DownEncoderBlock2D"));
    config.put("in_channels", TorchVae.PICTURE_CHANNELS);
    config.put("latent_channels", TorchVae.LATENT_CHANNELS);
    config.put("layers_per_block", layers);
    config.put("norm_num_groups", groups);
    config.put("out_channels", TorchVae.PICTURE_CHANNELS);
    config.put("sample_size", 8 * factor());
    config.put("scaling_factor", 0.18215);
    config.put("up_block_types", Collections.nCopies(levels(), "UpDecoderBlock2D"));
    return config;
  }
}
