package org.diffusionrpo.diffusion.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.clip.ClipTextEncoder;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.clip.PromptEncoder;
import org.diffusionrpo.diffusion.clip.PromptEncoder.Tower;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * A Stable Diffusion model in memory, all parts frozen as loaded; {@code unet().value().parameters().unfreeze()} makes
 * it trainable. SD 1.x has one text encoder, SDXL two.
 *
 * @param textEncoder2 SDXL's second text encoder, with its projection; null for a model with one
 * @param tokenizer2 what belongs to it; null for a model with one text encoder
 * @param clip folder of the CLIP beside the pipeline, copied by {@link #save}; null if there is none
 */
public record StableDiffusion(
    ModelConfig index,
    Component<UNet2DConditionModel> unet,
    Component<AutoencoderKL> vae,
    Component<ClipTextEncoder> textEncoder,
    ClipTokenizer tokenizer,
    Component<ClipTextEncoder> textEncoder2,
    ClipTokenizer tokenizer2,
    Component<SchedulerConfig> scheduler,
    Path clip) implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Checks that the parts fit each other; {@link IllegalArgumentException} names the two that do not. */
  public StableDiffusion {
    UNetConfig network = unet.value().config();
    FittingParts.require(network, vae.value().config());
    FittingParts.require((textEncoder2 == null) == (tokenizer2 == null), "of text_encoder_2 and tokenizer_2 there is "
        + "only one");
    if (textEncoder2 == null) {
      FittingParts.require(network, tower(textEncoder, tokenizer));
    } else {
      FittingParts.require(network, tower(textEncoder, tokenizer), tower(textEncoder2, tokenizer2));
    }
  }

  /** A model with one text encoder. */
  public StableDiffusion(ModelConfig index, Component<UNet2DConditionModel> unet, Component<AutoencoderKL> vae,
      Component<ClipTextEncoder> textEncoder, ClipTokenizer tokenizer, Component<SchedulerConfig> scheduler,
      Path clip) {
    this(index, unet, vae, textEncoder, tokenizer, null, null, scheduler, clip);
  }

  /** Opens and loads a whole model; {@link IOException} names the part and the fault. */
  public static StableDiffusion load(Path path, Backend backend, LoadOptions options) throws IOException {
    return load(ModelLocation.of(path).open(), backend, options);
  }

  public static StableDiffusion load(ModelSource source, Backend backend, LoadOptions options) throws IOException {
    return load(source, backend, options.frozen(),
        () -> source.loadUNet(backend, options.unet(), options.checkpointing()));
  }

  /**
   * Loads all but the weights of the UNet, of which only the settings are read: enough to encode pictures and prompts.
   *
   * @param storage of the matrices of VAE and text encoders
   */
  public static StableDiffusion loadEncoders(ModelSource source, Backend backend, Storage storage) throws IOException {
    return load(source, backend, storage,
        () -> source.unet().declare(config -> new UNet2DConditionModel(UNetConfig.from(config))));
  }

  /** Loads the UNet, last of all. */
  @FunctionalInterface
  private interface UNetLoader {
    Component<UNet2DConditionModel> load() throws IOException;
  }

  private static StableDiffusion load(ModelSource folder, Backend backend, Storage frozen, UNetLoader unetLoader)
      throws IOException {
    Component<SchedulerConfig> scheduler = folder.loadScheduler(); // the small parts first: their faults show at once
    ClipTokenizer tokenizer = folder.loadTokenizer();
    ClipTokenizer tokenizer2 = folder.isXl() ? folder.loadTokenizer2() : null;
    folder.check();
    Component<ClipTextEncoder> text = null;
    Component<ClipTextEncoder> text2 = null;
    Component<AutoencoderKL> vae = null;
    Component<UNet2DConditionModel> unet = null;
    try {
      text = folder.loadTextEncoder(backend, frozen);
      text2 = folder.isXl() ? folder.loadTextEncoder2(backend, frozen) : null;
      vae = folder.loadVae(backend, frozen);
      unet = unetLoader.load();
      return new StableDiffusion(folder.index(), unet, vae, text, tokenizer, text2, tokenizer2, scheduler,
          folder.clip().orElse(null));
    } catch (IllegalArgumentException e) {
      close(unet, vae, text, text2);
      throw new IOException(folder.path() + ": " + e.getMessage(), e);
    } catch (IOException | RuntimeException | Error e) {
      close(unet, vae, text, text2);
      throw e;
    }
  }

  /** Whether this is an SDXL: with a second text encoder, and a UNet that is told sizes and crops. */
  public boolean isXl() {
    return textEncoder2 != null;
  }

  /** The same model with another UNet; both share all other parts. */
  public StableDiffusion withUNet(Component<UNet2DConditionModel> other) {
    return new StableDiffusion(index, other, vae, textEncoder, tokenizer, textEncoder2, tokenizer2, scheduler, clip);
  }

  /** Turns prompts into what the UNet takes; it borrows the text encoders. */
  public PromptEncoder promptEncoder(Backend backend) {
    return isXl()
        ? new PromptEncoder(backend, tower(textEncoder, tokenizer), tower(textEncoder2, tokenizer2),
            index.flag("force_zeros_for_empty_prompt", true))
        : new PromptEncoder(backend, textEncoder.value().model(), tokenizer);
  }

  private static Tower tower(Component<ClipTextEncoder> encoder, ClipTokenizer tokenizer) {
    return new Tower(encoder.value().model(), tokenizer);
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
    save(path, dtype, parameter -> parameter.value().toArray(), null);
  }

  /**
   * Writes the model after a training of its UNet: VAE and text encoders get the numbers and types that they came with,
   * however they are stored in memory.
   *
   * @param source what the model was loaded from
   * @param dtype of the UNet
   * @param ofUNet the values of each of the UNet's parameters, in memory's layout
   */
  public void saveTrained(Path path, ModelSource source, DType dtype, Function<Parameter, float[]> ofUNet)
      throws IOException {
    save(path, dtype, ofUNet, Objects.requireNonNull(source));
  }

  private void save(Path path, DType dtype, Function<Parameter, float[]> ofUNet, ModelSource source)
      throws IOException {
    AtomicFolder.write(path, ModelFolder.INDEX, folder -> {
      ComponentFolder.write(folder.resolve(ModelFolder.UNET), "diffusion_pytorch_model", unet.config(),
          unet.value().parameters(), dtype, ofUNet);
      save(folder.resolve(ModelFolder.VAE), "diffusion_pytorch_model", vae.config(), vae.value().parameters(), dtype,
          source == null ? null : source.vae());
      save(folder.resolve(ModelFolder.TEXT_ENCODER), "model", textEncoder.config(), textEncoder.value().parameters(),
          dtype, source == null ? null : source.textEncoder());
      tokenizer.save(folder.resolve(ModelFolder.TOKENIZER));
      if (isXl()) {
        save(folder.resolve(ModelFolder.TEXT_ENCODER_2), "model", textEncoder2.config(),
            textEncoder2.value().parameters(), dtype, source == null ? null : source.textEncoder2());
        tokenizer2.save(folder.resolve(ModelFolder.TOKENIZER_2));
      }
      Path schedulerFolder = Files.createDirectory(folder.resolve(ModelFolder.SCHEDULER));
      scheduler.config().write(schedulerFolder.resolve(ModelFolder.SCHEDULER_CONFIG));
      if (clip != null) {
        AtomicFolder.copy(clip, folder.resolve(ModelFolder.CLIP));
      }
      savedIndex().write(folder.resolve(ModelFolder.INDEX));
    });
  }

  /** From memory in this type, or from the source as it is there. */
  private static void save(Path folder, String stem, ModelConfig config, Parameters parameters, DType dtype,
      ComponentSource source) throws IOException {
    if (source == null) {
      ComponentFolder.write(folder, stem, config, parameters, dtype);
    } else {
      ComponentFolder.copy(folder, stem, config, parameters, source);
    }
  }

  /** The index with the parts that {@link #save} does not write, such as a safety checker, called absent. */
  private ModelConfig savedIndex() {
    ObjectNode saved = index.json().deepCopy();
    for (Map.Entry<String, JsonNode> entry : index.json().properties()) {
      if (ModelFolder.isComponent(entry.getValue()) && !ModelFolder.USED.contains(entry.getKey())) {
        component(saved, entry.getKey(), null, null);
      }
    }
    return ModelConfig.of(index.source(), saved);
  }

  private static void component(ObjectNode index, String name, String library, String className) {
    index.putArray(name).add(library).add(className);
  }

  private static void close(Component<UNet2DConditionModel> unet, Component<AutoencoderKL> vae,
      Component<ClipTextEncoder> text, Component<ClipTextEncoder> text2) {
    if (unet != null) {
      unet.value().close();
    }
    if (vae != null) {
      vae.value().close();
    }
    Stream.of(text, text2).filter(Objects::nonNull).forEach(encoder -> encoder.value().close());
  }

  /** Releases all weights. */
  @Override
  public void close() {
    close(unet, vae, textEncoder, textEncoder2);
  }
}
