package org.diffusionrpo.diffusion.io;

import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.clip.PromptEncoder.Tower;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.VaeConfig;

/** What the parts of a model must have in common; {@link IllegalArgumentException} names the two that do not fit. */
final class FittingParts {
  private static final int TIME_IDS = 6;

  private FittingParts() {}

  static void require(UNetConfig unet, VaeConfig vae) {
    require(unet.inChannels() == vae.latentChannels() && unet.outChannels() == vae.latentChannels(),
        "the UNet works on " + unet.inChannels() + " channels, the VAE's latents have " + vae.latentChannels());
  }

  /** One text encoder. */
  static void require(UNetConfig unet, Tower text) {
    int width = text.model().config().tower().hiddenSize();
    require(unet.crossAttentionDim() == width, "the UNet's cross_attention_dim is " + unet.crossAttentionDim()
        + ", the text encoder's hidden_size " + width);
    require(!unet.addedTextTime(), "the UNet needs the pooled embedding of SDXL's second text encoder, and there is no "
        + "text_encoder_2");
    requireTokenizer("", text);
  }

  /** SDXL's two text encoders. */
  static void require(UNetConfig unet, Tower text, Tower text2) {
    ClipTextConfig config2 = text2.model().config();
    ClipTokenizer tokenizer2 = text2.tokenizer();
    int width = text.model().config().tower().hiddenSize() + config2.tower().hiddenSize();
    require(unet.crossAttentionDim() == width, "the UNet's cross_attention_dim is " + unet.crossAttentionDim()
        + ", the hidden_size of both text encoders together " + width);
    require(unet.addedTextTime(), "there is a text_encoder_2, but the UNet's addition_embed_type is not text_time");
    int added = config2.projectionDim() + TIME_IDS * unet.additionTimeEmbedDim();
    require(unet.projectionInputDim() == added, "the UNet's projection_class_embeddings_input_dim is "
        + unet.projectionInputDim() + ", text_encoder_2's projection_dim and six time ids make " + added);
    requireTokenizer("", text);
    requireTokenizer("_2", text2);
    require(tokenizer2.maxLength() == text.tokenizer().maxLength(), "tokenizer's model_max_length is "
        + text.tokenizer().maxLength() + ", tokenizer_2's " + tokenizer2.maxLength());
    require(tokenizer2.eosId() == config2.eosToken(), "tokenizer_2 ends a text with token " + tokenizer2.eosId()
        + ", text_encoder_2 takes its embedding at token " + config2.eosToken() + ", the last of vocab_size");
  }

  private static void requireTokenizer(String suffix, Tower text) {
    ClipTokenizer tokenizer = text.tokenizer();
    ClipTextConfig config = text.model().config();
    require(tokenizer.vocabularySize() <= config.vocabSize(), "tokenizer" + suffix + " has "
        + tokenizer.vocabularySize() + " tokens, text_encoder" + suffix + " only " + config.vocabSize());
    require(tokenizer.maxLength() <= config.maxPositions(), "tokenizer" + suffix + "'s model_max_length is "
        + tokenizer.maxLength() + ", text_encoder" + suffix + "'s max_position_embeddings only "
        + config.maxPositions());
  }

  static void require(boolean holds, String fault) {
    if (!holds) {
      throw new IllegalArgumentException("the parts of the model do not fit: " + fault);
    }
  }
}
