package org.diffusionrpo.diffusion.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextEncoder;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * A Stable Diffusion model in memory, all parts frozen as loaded; {@code unet().value().parameters().unfreeze()} makes
 * it trainable. One text encoder: SD 1.x and its kin, not yet SDXL.
 *
 * @param clip folder of the CLIP beside the pipeline, copied by {@link #save}; null if there is none
 */
public record StableDiffusion(
    ModelConfig index,
    Component<UNet2DConditionModel> unet,
    Component<AutoencoderKL> vae,
    Component<ClipTextEncoder> textEncoder,
    ClipTokenizer tokenizer,
    Component<SchedulerConfig> scheduler,
    Path clip) implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Checks that the parts fit each other; {@link IllegalArgumentException} names the two that do not. */
  public StableDiffusion {
    int latents = vae.value().config().latentChannels();
    ClipTextConfig text = textEncoder.value().model().config();
    UNet2DConditionModel network = unet.value();
    require(network.config().inChannels() == latents && network.config().outChannels() == latents,
        "the UNet works on " + network.config().inChannels() + " channels, the VAE's latents have " + latents);
    require(network.config().crossAttentionDim() == text.tower().hiddenSize(), "the UNet's cross_attention_dim is "
        + network.config().crossAttentionDim() + ", the text encoder's hidden_size " + text.tower().hiddenSize());
    require(!network.config().addedTextTime(), "the UNet needs SDXL's second text encoder, which is not supported");
    require(tokenizer.vocabularySize() <= text.vocabSize(), "the tokenizer has " + tokenizer.vocabularySize()
        + " tokens, the text encoder only " + text.vocabSize());
    require(tokenizer.maxLength() <= text.maxPositions(), "the tokenizer's model_max_length is "
        + tokenizer.maxLength() + ", the text encoder's max_position_embeddings only " + text.maxPositions());
  }

  /** Opens and loads a whole model; {@link IOException} names the part and the fault. */
  public static StableDiffusion load(Path path, Backend backend, LoadOptions options) throws IOException {
    return load(ModelFolder.open(path), backend, options);
  }

  public static StableDiffusion load(ModelFolder folder, Backend backend, LoadOptions options) throws IOException {
    if (folder.has(ModelFolder.TEXT_ENCODER_2)) {
      throw new IOException(folder.path() + ": is a " + folder.pipelineClass() + " with two text encoders; only models "
          + "with one, such as Stable Diffusion 1.5, are supported");
    }
    Component<SchedulerConfig> scheduler = folder.loadScheduler(); // the small parts first: their faults show at once
    ClipTokenizer tokenizer = folder.loadTokenizer();
    Component<ClipTextEncoder> text = folder.loadTextEncoder(backend, options.frozen());
    Component<AutoencoderKL> vae = null;
    Component<UNet2DConditionModel> unet = null;
    try {
      vae = folder.loadVae(backend, options.frozen());
      unet = folder.loadUNet(backend, options.unet(), options.checkpointing());
      return new StableDiffusion(folder.index(), unet, vae, text, tokenizer, scheduler, folder.clip().orElse(null));
    } catch (IllegalArgumentException e) {
      close(unet, vae, text);
      throw new IOException(folder.path() + ": " + e.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      close(unet, vae, text);
      throw e;
    }
  }

  /** The same model with another UNet; both share all other parts. */
  public StableDiffusion withUNet(Component<UNet2DConditionModel> other) {
    return new StableDiffusion(index, other, vae, textEncoder, tokenizer, scheduler, clip);
  }

  /** The index of a new model with exactly the parts of SD 1.5, its safety checker left out. */
  public static ModelConfig newIndex() {
    ObjectNode index = JSON.createObjectNode().put("_class_name", "StableDiffusionPipeline");
    component(index, "feature_extractor", null, null);
    component(index, "safety_checker", null, null);
    index.put("requires_safety_checker", false);
    component(index, ModelFolder.SCHEDULER, "diffusers", "DDIMScheduler");
    component(index, ModelFolder.TEXT_ENCODER, "transformers", "CLIPTextModel");
    component(index, ModelFolder.TOKENIZER, "transformers", "CLIPTokenizer");
    component(index, ModelFolder.UNET, "diffusers", "UNet2DConditionModel");
    component(index, ModelFolder.VAE, "diffusers", "AutoencoderKL");
    return ModelConfig.of(ModelFolder.INDEX, index);
  }

  /** A scheduler that was not read from a file. */
  public static Component<SchedulerConfig> newScheduler(SchedulerConfig config) {
    return new Component<>(config, ModelConfig.of(ModelFolder.SCHEDULER_CONFIG, JSON.valueToTree(config)));
  }

  /**
   * Writes the whole model, with all settings as they were read; the folder appears complete or not at all. An earlier
   * save of a model is replaced, any other folder refused.
   */
  public void save(Path path, DType dtype) throws IOException {
    save(path, dtype, parameter -> parameter.value().toArray());
  }

  /**
   * Writes other values of the UNet than the present ones, such as those with adapters merged.
   *
   * @param ofUNet the values of each of the UNet's parameters, in memory's layout
   */
  public void save(Path path, DType dtype, Function<Parameter, float[]> ofUNet) throws IOException {
    AtomicFolder.write(path, ModelFolder.INDEX, folder -> {
      ComponentFolder.write(folder.resolve(ModelFolder.UNET), "diffusion_pytorch_model", unet.config(),
          unet.value().parameters(), dtype, ofUNet);
      save(folder, ModelFolder.VAE, "diffusion_pytorch_model", vae.config(), vae.value().parameters(), dtype);
      save(folder, ModelFolder.TEXT_ENCODER, "model", textEncoder.config(), textEncoder.value().parameters(), dtype);
      tokenizer.save(folder.resolve(ModelFolder.TOKENIZER));
      Path schedulerFolder = Files.createDirectory(folder.resolve(ModelFolder.SCHEDULER));
      scheduler.config().write(schedulerFolder.resolve(ModelFolder.SCHEDULER_CONFIG));
      if (clip != null) {
        AtomicFolder.copy(clip, folder.resolve(ModelFolder.CLIP));
      }
      savedIndex().write(folder.resolve(ModelFolder.INDEX));
    });
  }

  private static void save(Path folder, String name, String stem, ModelConfig config, Parameters parameters,
      DType dtype) throws IOException {
    ComponentFolder.write(folder.resolve(name), stem, config, parameters, dtype);
  }

  /** The index with the parts that {@link #save} does not write, such as a safety checker, called absent. */
  private ModelConfig savedIndex() {
    ObjectNode saved = index.json().deepCopy();
    for (Map.Entry<String, JsonNode> entry : index.json().properties()) {
      if (ModelFolder.isComponent(entry.getValue()) && !ModelFolder.REQUIRED.contains(entry.getKey())) {
        component(saved, entry.getKey(), null, null);
      }
    }
    return ModelConfig.of(index.source(), saved);
  }

  private static void component(ObjectNode index, String name, String library, String className) {
    index.putArray(name).add(library).add(className);
  }

  private static void require(boolean holds, String fault) {
    if (!holds) {
      throw new IllegalArgumentException("the parts of the model do not fit: " + fault);
    }
  }

  private static void close(Component<UNet2DConditionModel> unet, Component<AutoencoderKL> vae,
      Component<ClipTextEncoder> text) {
    if (unet != null) {
      unet.value().close();
    }
    if (vae != null) {
      vae.value().close();
    }
    text.value().close();
  }

  /** Releases all weights. */
  @Override
  public void close() {
    close(unet, vae, textEncoder);
  }
}
