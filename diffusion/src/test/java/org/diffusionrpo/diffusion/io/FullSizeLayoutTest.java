package org.diffusionrpo.diffusion.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextModel;
import org.diffusionrpo.diffusion.clip.ClipVisionConfig;
import org.diffusionrpo.diffusion.clip.ClipVisionModel;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.diffusion.vae.VaeConfig;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.junit.jupiter.api.Test;

/**
 * The published networks at full size, declared from their published configs: names and shapes of all tensors are those
 * of the published files. No weights are allocated.
 */
class FullSizeLayoutTest {
  private static final String SD15_UNET = """
      {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0", "act_fn": "silu", "attention_head_dim": 8,
       "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": false, "cross_attention_dim": 768,
       "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
       "downsample_padding": 1, "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
       "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}""";

  private static final String SDXL_UNET = """
      {"_class_name": "UNet2DConditionModel", "act_fn": "silu", "addition_embed_type": "text_time",
       "addition_embed_type_num_heads": 64, "addition_time_embed_dim": 256, "attention_head_dim": [5, 10, 20],
       "block_out_channels": [320, 640, 1280], "center_input_sample": false, "class_embed_type": null,
       "class_embeddings_concat": false, "conv_in_kernel": 3, "conv_out_kernel": 3, "cross_attention_dim": 2048,
       "cross_attention_norm": null, "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D",
       "CrossAttnDownBlock2D"], "downsample_padding": 1, "dual_cross_attention": false, "encoder_hid_dim": null,
       "encoder_hid_dim_type": null, "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4,
       "layers_per_block": 2, "mid_block_only_cross_attention": null, "mid_block_scale_factor": 1,
       "mid_block_type": "UNetMidBlock2DCrossAttn", "norm_eps": 1e-05, "norm_num_groups": 32,
       "num_attention_heads": null, "num_class_embeds": null, "only_cross_attention": false, "out_channels": 4,
       "projection_class_embeddings_input_dim": 2816, "resnet_out_scale_factor": 1.0, "resnet_skip_time_act": false,
       "resnet_time_scale_shift": "default", "sample_size": 128, "time_cond_proj_dim": null,
       "time_embedding_act_fn": null, "time_embedding_dim": null, "time_embedding_type": "positional",
       "timestep_post_act": null, "transformer_layers_per_block": [1, 2, 10], "up_block_types":
       ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], "upcast_attention": null,
       "use_linear_projection": true}""";

  private static final String VAE = """
      {"_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": [128, 256, 512, 512],
       "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
       "force_upcast": true, "in_channels": 3, "latent_channels": 4, "layers_per_block": 2, "norm_num_groups": 32,
       "out_channels": 3, "sample_size": 1024, "scaling_factor": 0.13025,
       "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}""";

  private static final String CLIP_L_TEXT = """
      {"architectures": ["CLIPTextModel"], "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "quick_gelu",
       "hidden_size": 768, "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 77,
       "num_attention_heads": 12, "num_hidden_layers": 12, "projection_dim": 768, "vocab_size": 49408}""";

  private static final String BIGG_TEXT = """
      {"architectures": ["CLIPTextModelWithProjection"], "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "gelu",
       "hidden_size": 1280, "intermediate_size": 5120, "layer_norm_eps": 1e-05, "max_position_embeddings": 77,
       "num_attention_heads": 20, "num_hidden_layers": 32, "projection_dim": 1280, "vocab_size": 49408}""";

  private static final String CLIP_L_VISION = """
      {"hidden_act": "quick_gelu", "hidden_size": 1024, "image_size": 224, "intermediate_size": 4096,
       "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14, "projection_dim": 768}""";

  private static final String CLIP_L_336_VISION = CLIP_L_VISION.replace("224", "336");

  private static final String CLIP_H_TEXT = """
      {"hidden_act": "gelu", "hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16,
       "num_hidden_layers": 24, "projection_dim": 1024}""";

  private static final String CLIP_H_VISION = """
      {"hidden_act": "gelu", "hidden_size": 1280, "image_size": 224, "intermediate_size": 5120,
       "num_attention_heads": 16, "num_hidden_layers": 32, "patch_size": 14, "projection_dim": 1024}""";

  @Test
  void unetOfStableDiffusion15() throws IOException {
    try (UNet2DConditionModel unet = new UNet2DConditionModel(UNetConfig.from(parse(SD15_UNET)))) {
      check("unet-sd15", 859_520_964L, unet.parameters());
    }
  }

  @Test
  void unetOfSdxl() throws IOException {
    try (UNet2DConditionModel unet = new UNet2DConditionModel(UNetConfig.from(parse(SDXL_UNET)))) {
      check("unet-sdxl", 2_567_463_684L, unet.parameters());
    }
  }

  @Test
  void autoencoder() throws IOException {
    try (AutoencoderKL vae = new AutoencoderKL(VaeConfig.from(parse(VAE)))) {
      check("vae", 83_653_863L, vae.parameters());
    }
  }

  @Test
  void textEncoderOfStableDiffusion15() throws IOException {
    check("clip-l14-text", 123_060_480L, text(CLIP_L_TEXT, false));
  }

  @Test
  void secondTextEncoderOfSdxl() throws IOException {
    check("openclip-bigg14-text-proj", 694_659_840L, text(BIGG_TEXT, true));
  }

  @Test
  void clipL() throws IOException {
    check("clip-l14-full", 427_616_513L, clip(CLIP_L_TEXT, CLIP_L_VISION));
  }

  @Test
  void visionTowerOfClipLAt336Pixels() throws IOException {
    Parameters parameters = new Parameters();
    new ClipVisionModel(parameters.root(), ClipVisionConfig.from(parse(CLIP_L_336_VISION)));
    check("clip-l14-336-vision-proj", 304_293_888L, parameters);
  }

  @Test
  void clipH() throws IOException {
    check("clip-h14-full", 986_109_441L, clip(CLIP_H_TEXT, CLIP_H_VISION));
  }

  private static Parameters text(String config, boolean withProjection) throws IOException {
    Parameters parameters = new Parameters();
    ClipTextModel text = new ClipTextModel(parameters.root(), ClipTextConfig.from(parse(config)), withProjection);
    assertEquals(49_407, text.config().eosToken(), "not the wrong eos_token_id of old configs");
    return parameters;
  }

  private static Parameters clip(String text, String vision) throws IOException {
    try (ClipModel clip = new ClipModel(ClipTextConfig.from(parse(text)), ClipVisionConfig.from(parse(vision)))) {
      return clip.parameters();
    }
  }

  private static ModelConfig parse(String json) throws IOException {
    return ModelConfig.parse("published config", json);
  }

  private static void check(String manifest, long count, Parameters parameters) throws IOException {
    Map<String, String> declared = new TreeMap<>();
    for (Parameter parameter : parameters.all()) {
      int[] dims = CheckpointMapping.info(parameter, DType.F32).dims();
      declared.put(parameter.name(), Arrays.stream(dims).mapToObj(Integer::toString).collect(Collectors.joining("x")));
      assertFalse(parameter.hasValue(), parameter.name());
    }
    assertEquals(lines(read(manifest)), lines(declared));
    assertEquals(count, parameters.count());
  }

  /** One tensor per line, so that a failure shows the difference. */
  private static String lines(Map<String, String> tensors) {
    return tensors.entrySet().stream().map(e -> e.getKey() + " " + e.getValue()).collect(Collectors.joining("\n"));
  }

  /** Shapes by name: a list with a tab between name and shape. */
  private static Map<String, String> read(String manifest) throws IOException {
    Map<String, String> tensors = new TreeMap<>();
    try (InputStream in = FullSizeLayoutTest.class.getResourceAsStream("/manifest/" + manifest + ".tsv.gz")) {
      assertNotNull(in, manifest);
      BufferedReader reader = new BufferedReader(
          new InputStreamReader(new GZIPInputStream(in), StandardCharsets.UTF_8));
      for (String line : reader.lines().toList()) {
        String[] columns = line.split("\t", -1);
        tensors.put(columns[0], columns[1]);
      }
    }
    return tensors;
  }
}
