package org.diffusionrpo.bench.oracle;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The shape of a UNet; lists have one entry for each level, from the full resolution down.
 *
 * @param attends whether the level has transformers
 * @param heads attention heads of the level
 * @param depths transformer blocks in one transformer of the level
 * @param timeIdWidth width of the sinusoid of each of SDXL's six time ids; 0 for a UNet without added embedding
 * @param addedWidth input width of the added embedding
 */
record UnetSettings(List<Integer> channels, List<Boolean> attends, int layers, int groups, int contextWidth,
    List<Integer> heads, List<Integer> depths, boolean linearProjection, int timeIdWidth, int addedWidth) {
  static final UnetSettings SD15 = new UnetSettings(List.of(320, 640, 1280, 1280), List.of(true, true, true, false), 2,
      32, 768, List.of(8, 8, 8, 8), List.of(1, 1, 1, 1), false, 0, 0);
  static final UnetSettings SDXL = new UnetSettings(List.of(320, 640, 1280), List.of(false, true, true), 2, 32, 2048,
      List.of(5, 10, 20), List.of(1, 2, 10), true, 256, 2816);

  int levels() {
    return channels.size();
  }

  int channels(int level) {
    return channels.get(level);
  }

  boolean hasAddedEmbedding() {
    return timeIdWidth > 0;
  }

  /** The content of config.json as diffusers writes it; {@code attention_head_dim} counts heads there. */
  Map<String, Object> config() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("_class_name", "UNet2DConditionModel");
    config.put("act_fn", "silu");
    config.put("attention_head_dim", scalarIfEqual(heads));
    config.put("block_out_channels", channels);
    config.put("center_input_sample", false);
    config.put("cross_attention_dim", contextWidth);
    config.put("down_block_types", blockTypes("DownBlock2D", attends));
    config.put("downsample_padding", 1);
    config.put("flip_sin_to_cos", true);
    config.put("freq_shift", 0);
    config.put("in_channels", TorchUnet.LATENT_CHANNELS);
    config.put("layers_per_block", layers);
    config.put("mid_block_scale_factor", 1);
    config.put("norm_eps", TorchUnet.NORM_EPS);
    config.put("norm_num_groups", groups);
    config.put("out_channels", TorchUnet.LATENT_CHANNELS);
    config.put("sample_size", 8);
    if (hasAddedEmbedding()) {
      config.put("addition_embed_type", "text_time");
      config.put("addition_time_embed_dim", timeIdWidth);
      config.put("projection_class_embeddings_input_dim", addedWidth);
    }
    config.put("transformer_layers_per_block", scalarIfEqual(depths));
    List<Boolean> upwards = new ArrayList<>(attends);
    Collections.reverse(upwards);
    config.put("up_block_types", blockTypes("UpBlock2D", upwards));
    config.put("use_linear_projection", linearProjection);
    return config;
  }

  private static Object scalarIfEqual(List<Integer> values) {
    return values.stream().distinct().count() == 1 ? values.get(0) : values;
  }

  private static List<String> blockTypes(String name, List<Boolean> attends) {
    return attends.stream().map(attending -> attending ? "CrossAttn" + name : name).toList();
  }
}
