package org.diffusionrpo.diffusion.unet;

import java.util.List;
import java.util.Set;
import org.diffusionrpo.diffusion.io.ModelConfig;

/**
 * The fields of a UNet's config.json that shape the network, per level where diffusers allows a list.
 * {@code heads} is diffusers' {@code attention_head_dim}, which for these models holds the number of heads.
 */
public record UNetConfig(
    int sampleSize,
    int inChannels,
    int outChannels,
    boolean flipSinToCos,
    float freqShift,
    List<Boolean> downAttention,
    List<Boolean> upAttention,
    List<Integer> blockOutChannels,
    int layersPerBlock,
    int normNumGroups,
    float normEps,
    int crossAttentionDim,
    List<Integer> heads,
    List<Integer> transformerLayers,
    boolean linearProjection,
    boolean addedTextTime,
    int additionTimeEmbedDim,
    int projectionInputDim) {

  private static final String CROSS_DOWN = "CrossAttnDownBlock2D";
  private static final String CROSS_UP = "CrossAttnUpBlock2D";

  /** Reads config.json; a setting that this implementation does not cover is an error, never ignored. */
  public static UNetConfig from(ModelConfig config) {
    rejectUnsupported(config);
    List<Integer> channels = list(config.integers("block_out_channels"));
    int levels = channels.size();
    List<Boolean> down = attention(config, "down_block_types", levels, CROSS_DOWN, "DownBlock2D");
    List<Boolean> up = attention(config, "up_block_types", levels, CROSS_UP, "UpBlock2D");
    String headsKey = config.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim";
    boolean added = "text_time".equals(config.text("addition_embed_type", ""));
    return new UNetConfig(
        config.integer("sample_size", 64),
        config.integer("in_channels", 4),
        config.integer("out_channels", 4),
        config.flag("flip_sin_to_cos", true),
        config.number("freq_shift", 0f),
        down, up, channels,
        config.integer("layers_per_block", 2),
        config.integer("norm_num_groups", 32),
        config.number("norm_eps", 1e-5f),
        config.integer("cross_attention_dim", 1280),
        list(config.perLevel(headsKey, levels, 8)),
        list(config.perLevel("transformer_layers_per_block", levels, 1)),
        config.flag("use_linear_projection", false),
        added,
        added ? config.integer("addition_time_embed_dim") : 0,
        added ? config.integer("projection_class_embeddings_input_dim") : 0);
  }

  /** Length of the time embedding: four times the first level's channels. */
  public int timeEmbedDim() {
    return 4 * blockOutChannels.get(0);
  }

  private static void rejectUnsupported(ModelConfig config) {
    config.onlySupports("addition_embed_type", Set.of("text_time"));
    config.onlySupports("act_fn", Set.of("silu", "swish"));
    config.onlySupports("mid_block_type", Set.of("UNetMidBlock2DCrossAttn"));
    config.onlySupports("center_input_sample", Set.of("false"));
    config.onlySupports("downsample_padding", Set.of("1"));
    config.onlySupports("mid_block_scale_factor", Set.of("1", "1.0"));
    config.onlySupports("resnet_time_scale_shift", Set.of("default"));
    config.onlySupports("resnet_out_scale_factor", Set.of("1", "1.0"));
    config.onlySupports("resnet_skip_time_act", Set.of("false"));
    config.onlySupports("time_embedding_type", Set.of("positional"));
    config.onlySupports("attention_type", Set.of("default"));
    config.onlySupports("dropout", Set.of("0", "0.0"));
    config.onlySupports("conv_in_kernel", Set.of("3"));
    config.onlySupports("conv_out_kernel", Set.of("3"));
    for (String key : List.of("upcast_attention", "only_cross_attention", "dual_cross_attention",
        "class_embeddings_concat", "mid_block_only_cross_attention")) {
      config.onlySupports(key, Set.of("false"));
    }
    for (String key : List.of("class_embed_type", "num_class_embeds", "encoder_hid_dim", "encoder_hid_dim_type",
        "time_embedding_dim", "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim",
        "cross_attention_norm", "reverse_transformer_layers_per_block")) {
      config.onlySupports(key, Set.of());
    }
  }

  private static List<Boolean> attention(ModelConfig config, String key, int levels, String with, String without) {
    List<String> types = List.of(config.texts(key));
    if (types.size() != levels || !Set.of(with, without).containsAll(types)) {
      throw new IllegalArgumentException(config.source() + ": " + key + " = " + types + ": expected " + levels
          + " of " + with + " or " + without);
    }
    return types.stream().map(with::equals).toList();
  }

  private static List<Integer> list(int[] values) {
    return java.util.Arrays.stream(values).boxed().toList();
  }
}
