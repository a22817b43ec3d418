package org.diffusionrpo.diffusion;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTowerConfig;
import org.diffusionrpo.diffusion.clip.ClipVisionConfig;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.diffusion.vae.VaeConfig;
import org.diffusionrpo.tensor.Activation;

/** Networks with every kind of layer of the real ones that run in milliseconds. */
public final class TinyModels {
  /** Width of the UNets' context. */
  public static final int CONTEXT = 6;

  private static final String SD15_STYLE = """
      {"block_out_channels": [8, 16], "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "layers_per_block": 1, "cross_attention_dim": 6,
       "attention_head_dim": 2, "norm_num_groups": 4}""";
  private static final String SDXL_STYLE = """
      {"block_out_channels": [8, 16], "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
       "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "layers_per_block": 1, "cross_attention_dim": 6,
       "attention_head_dim": [1, 2], "transformer_layers_per_block": [1, 2], "use_linear_projection": true,
       "norm_num_groups": 4, "addition_embed_type": "text_time", "addition_time_embed_dim": 4,
       "projection_class_embeddings_input_dim": 31}""";
  private static final String VAE = """
      {"block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4, "latent_channels": 4,
       "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
       "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]}""";

  private TinyModels() {}

  public static UNet2DConditionModel sd15Unet() {
    return new UNet2DConditionModel(sd15Config());
  }

  public static UNetConfig sd15Config() {
    return UNetConfig.from(parse(SD15_STYLE));
  }

  /** Takes text embeds [N, 7] and six time ids. */
  public static UNet2DConditionModel sdxlUnet() {
    return new UNet2DConditionModel(sdxlConfig());
  }

  public static UNetConfig sdxlConfig() {
    return UNetConfig.from(parse(SDXL_STYLE));
  }

  /** Two pixels per latent along a side, four latent channels. */
  public static AutoencoderKL vae() {
    return new AutoencoderKL(VaeConfig.from(parse(VAE)));
  }

  /** Up to 9 tokens, the last of 40 ends a text; pictures of 12 x 12 pixels; embeds of 10 numbers. */
  public static ClipModel clip(Activation activation) {
    return new ClipModel(
        new ClipTextConfig(new ClipTowerConfig(12, 24, 2, 3, activation, 1e-5f), 40, 9, 10),
        new ClipVisionConfig(new ClipTowerConfig(16, 32, 2, 2, activation, 1e-5f), 12, 4, 10));
  }

  private static ModelConfig parse(String json) {
    try {
      return ModelConfig.parse("tiny model", json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
