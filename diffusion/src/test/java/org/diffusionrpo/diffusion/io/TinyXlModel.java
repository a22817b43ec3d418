package org.diffusionrpo.diffusion.io;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Map;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextEncoder;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.clip.TokenizerSettings;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.tensor.Backend;

/**
 * The smallest SDXL with every part, random: {@link TinyModel} with a UNet in SDXL's style, a second text encoder of
 * width 8 that projects to 7 numbers, and a second tokenizer that pads with {@code !}.
 */
public final class TinyXlModel {
  private static final long SEED = 6;
  private static final String UNET = """
      {"_class_name": "UNet2DConditionModel", "sample_size": 5, "in_channels": 3, "out_channels": 3,
       "block_out_channels": [16, 32], "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
       "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "layers_per_block": 1, "cross_attention_dim": 20,
       "attention_head_dim": [2, 4], "transformer_layers_per_block": [1, 2], "use_linear_projection": true,
       "norm_num_groups": 8, "addition_embed_type": "text_time", "addition_time_embed_dim": 4,
       "projection_class_embeddings_input_dim": 31}""";
  private static final String TEXT = """
      {"architectures": ["CLIPTextModel"], "hidden_size": 12, "intermediate_size": 24, "num_hidden_layers": 2,
       "num_attention_heads": 2, "vocab_size": 523, "max_position_embeddings": 9, "hidden_act": "quick_gelu"}""";
  private static final String TEXT_2 = """
      {"architectures": ["CLIPTextModelWithProjection"], "hidden_size": 8, "intermediate_size": 16,
       "num_hidden_layers": 3, "num_attention_heads": 2, "vocab_size": 523, "max_position_embeddings": 9,
       "hidden_act": "gelu", "projection_dim": 7}""";
  private static final String SCHEDULER = """
      {"_class_name": "EulerDiscreteScheduler", "beta_start": 0.00085, "beta_end": 0.012,
       "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "steps_offset": 1, "interpolation_type": "linear",
       "prediction_type": "epsilon", "timestep_spacing": "leading", "use_karras_sigmas": false}""";

  private TinyXlModel() {}

  /** @param zeroEmptyNegative {@code force_zeros_for_empty_prompt} of the index */
  public static StableDiffusion create(Backend backend, boolean zeroEmptyNegative) throws IOException {
    StableDiffusion tiny = TinyModel.create(backend);
    tiny.unet().value().close();
    tiny.textEncoder().value().close();
    ModelConfig unet = ModelConfig.parse("unet", UNET);
    StableDiffusion model = new StableDiffusion(index(zeroEmptyNegative),
        new Component<>(new UNet2DConditionModel(UNetConfig.from(unet)), unet), tiny.vae(),
        text("text_encoder", TEXT, false), tiny.tokenizer(),
        text("text_encoder_2", TEXT_2, true), paddedWithExclamationMarks(tiny.tokenizer()), scheduler(), null);
    Stream.of(model.unet().value().parameters(), model.textEncoder().value().parameters(),
        model.textEncoder2().value().parameters()).forEach(parameters -> parameters.initialize(backend, SEED));
    return model;
  }

  private static Component<ClipTextEncoder> text(String name, String json, boolean withProjection) throws IOException {
    ModelConfig config = ModelConfig.parse(name, json);
    return new Component<>(new ClipTextEncoder(ClipTextConfig.from(config), withProjection), config);
  }

  private static ClipTokenizer paddedWithExclamationMarks(ClipTokenizer tokenizer) {
    return new ClipTokenizer(tokenizer.vocabulary(), new TokenizerSettings(TokenizerSettings.BOS, TokenizerSettings.EOS,
        TokenizerSettings.EOS, "!", tokenizer.maxLength(), Map.of("!", 0)));
  }

  private static Component<SchedulerConfig> scheduler() throws IOException {
    return new Component<>(new ObjectMapper().readValue(SCHEDULER, SchedulerConfig.class),
        ModelConfig.parse("scheduler", SCHEDULER));
  }

  private static ModelConfig index(boolean zeroEmptyNegative) {
    ObjectNode index = StableDiffusion.newIndex().json().deepCopy();
    index.put("_class_name", "StableDiffusionXLPipeline").put("force_zeros_for_empty_prompt", zeroEmptyNegative);
    index.putArray("text_encoder_2").add("transformers").add("CLIPTextModelWithProjection");
    index.putArray("tokenizer_2").add("transformers").add("CLIPTokenizer");
    index.putArray("scheduler").add("diffusers").add("EulerDiscreteScheduler");
    return ModelConfig.of("model_index.json", index);
  }
}
