package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.util.List;
import org.diffusionrpo.diffusion.clip.BpeTrainer;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextEncoder;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.diffusion.vae.VaeConfig;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.nn.Parameters;

/** The smallest Stable Diffusion and CLIP with every part, random: 10 x 10 pixels, VAE factor 2, 3 latent channels. */
public final class TinyModel {
  private static final long SEED = 5;
  private static final String UNET = """
      {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0", "sample_size": 5, "in_channels": 3,
       "out_channels": 3, "block_out_channels": [16, 32], "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
       "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "layers_per_block": 1, "cross_attention_dim": 12,
       "attention_head_dim": 2, "norm_num_groups": 8}""";
  private static final String VAE = """
      {"_class_name": "AutoencoderKL", "block_out_channels": [8, 16], "layers_per_block": 1, "latent_channels": 3,
       "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"], "norm_num_groups": 4, "sample_size": 10,
       "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"], "scaling_factor": 0.5, "force_upcast": true}""";
  private static final String TEXT = """
      {"architectures": ["CLIPTextModel"], "hidden_size": 12, "intermediate_size": 24, "num_hidden_layers": 1,
       "num_attention_heads": 2, "vocab_size": 540, "max_position_embeddings": 9, "hidden_act": "quick_gelu"}""";
  private static final String CLIP = """
      {"architectures": ["CLIPModel"], "projection_dim": 6, "text_config": {"hidden_size": 12, "intermediate_size": 24,
       "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 523, "max_position_embeddings": 9},
       "vision_config": {"hidden_size": 12, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2,
       "image_size": 10, "patch_size": 5}}""";

  private TinyModel() {}

  public static StableDiffusion create(Backend backend) throws IOException {
    ModelConfig unet = ModelConfig.parse("unet", UNET);
    ModelConfig vae = ModelConfig.parse("vae", VAE);
    ModelConfig text = ModelConfig.parse("text_encoder", TEXT);
    StableDiffusion model = new StableDiffusion(StableDiffusion.newIndex(),
        new Component<>(new UNet2DConditionModel(UNetConfig.from(unet)), unet),
        new Component<>(new AutoencoderKL(VaeConfig.from(vae)), vae),
        new Component<>(new ClipTextEncoder(ClipTextConfig.from(text)), text),
        tokenizer(), StableDiffusion.newScheduler(SchedulerConfig.stableDiffusion()), null);
    networks(model).forEach(parameters -> parameters.initialize(backend, SEED));
    return model;
  }

  public static Clip createClip(Backend backend) throws IOException {
    ModelConfig config = ModelConfig.parse("clip", CLIP);
    ClipModel model = Clip.build(config);
    model.parameters().initialize(backend, SEED);
    return new Clip(new Component<>(model, config), tokenizer(), Clip.newPreprocessor(10));
  }

  public static List<Parameters> networks(StableDiffusion model) {
    return List.of(model.unet().value().parameters(), model.vae().value().parameters(),
        model.textEncoder().value().parameters());
  }

  private static ClipTokenizer tokenizer() {
    return BpeTrainer.train(List.of("red cat", "red dog", "blue cat", "blue dog", "cat and dog"), 530, 9);
  }
}
