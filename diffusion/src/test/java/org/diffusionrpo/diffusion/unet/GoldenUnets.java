package org.diffusionrpo.diffusion.unet;

import java.io.IOException;
import org.diffusionrpo.diffusion.io.ModelConfig;

/** The two small networks that the reference sources gave numbers for. */
public final class GoldenUnets {
  private static final String SD15_STYLE = """
      {"block_out_channels": [32, 64], "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "layers_per_block": 2, "cross_attention_dim": 24,
       "attention_head_dim": 4, "norm_num_groups": 8}""";
  private static final String SDXL_STYLE = """
      {"block_out_channels": [32, 64], "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
       "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "layers_per_block": 2, "cross_attention_dim": 24,
       "attention_head_dim": [2, 4], "transformer_layers_per_block": [1, 2], "use_linear_projection": true,
       "norm_num_groups": 8, "addition_embed_type": "text_time", "addition_time_embed_dim": 8,
       "projection_class_embeddings_input_dim": 64}""";

  private GoldenUnets() {}

  /** Network A, in the style of SD 1.5. */
  public static UNetConfig sd15Style() throws IOException {
    return UNetConfig.from(ModelConfig.parse("UNet A", SD15_STYLE));
  }

  /** Network B, in the style of SDXL. */
  public static UNetConfig sdxlStyle() throws IOException {
    return UNetConfig.from(ModelConfig.parse("UNet B", SDXL_STYLE));
  }
}
