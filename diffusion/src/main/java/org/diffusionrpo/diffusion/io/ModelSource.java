package org.diffusionrpo.diffusion.io;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextEncoder;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.unet.UNetConfig;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.diffusion.vae.VaeConfig;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * Where the parts of a Stable Diffusion come from: a {@link ModelFolder}, a {@link SingleFile}, or one of them with
 * some {@link ReplacedParts}. {@link ModelLocation} opens them. Every part can be loaded by itself; faults are
 * {@link IOException}s of one line that name the file.
 */
public interface ModelSource {
  Path path();

  /** The content of {@code model_index.json}. */
  ModelConfig index() throws IOException;

  ComponentSource unet();

  ComponentSource vae();

  ComponentSource textEncoder();

  /** SDXL's second text encoder; only where {@link #has} says so. */
  ComponentSource textEncoder2();

  /** False for a single file without a folder for its tokenizer. */
  default boolean hasTokenizer() {
    return true;
  }

  ClipTokenizer loadTokenizer() throws IOException;

  /** What belongs to SDXL's second text encoder. */
  ClipTokenizer loadTokenizer2() throws IOException;

  Component<SchedulerConfig> loadScheduler() throws IOException;

  /** The CLIP beside the pipeline, if there is one. */
  Optional<Path> clip();

  /** Tensors that belong to none of the networks and that no real file has, in one line; empty if there are none. */
  default String strangers() throws IOException {
    return "";
  }

  /** For example {@code StableDiffusionPipeline}. */
  default String pipelineClass() throws IOException {
    return index().text("_class_name", "StableDiffusionPipeline");
  }

  /** The parts that the index lists and does not call absent, in its order. */
  default List<String> components() throws IOException {
    List<String> names = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : index().json().properties()) {
      if (ModelFolder.isComponent(entry.getValue()) && entry.getValue().get(1).isTextual()) {
        names.add(entry.getKey());
      }
    }
    return names;
  }

  default boolean has(String component) throws IOException {
    return components().contains(component);
  }

  /** Whether this is an SDXL, with two text encoders. */
  default boolean isXl() throws IOException {
    return has(ModelFolder.TEXT_ENCODER_2);
  }

  /** The networks by the names of their folders. */
  default Map<String, ComponentSource> networks() throws IOException {
    Map<String, ComponentSource> networks = new LinkedHashMap<>();
    networks.put(ModelFolder.UNET, unet());
    networks.put(ModelFolder.VAE, vae());
    networks.put(ModelFolder.TEXT_ENCODER, textEncoder());
    if (isXl()) {
      networks.put(ModelFolder.TEXT_ENCODER_2, textEncoder2());
    }
    return networks;
  }

  /** @param checkpointing recompute activations in backward: less memory, more time */
  default Component<UNet2DConditionModel> loadUNet(Backend backend, Storage storage, boolean checkpointing)
      throws IOException {
    return unet().load(config -> new UNet2DConditionModel(UNetConfig.from(config), checkpointing),
        UNet2DConditionModel::parameters, backend, storage);
  }

  default Component<AutoencoderKL> loadVae(Backend backend, Storage storage) throws IOException {
    return vae().load(config -> new AutoencoderKL(VaeConfig.from(config)), AutoencoderKL::parameters, backend, storage);
  }

  default Component<ClipTextEncoder> loadTextEncoder(Backend backend, Storage storage) throws IOException {
    return textEncoder().load(config -> new ClipTextEncoder(ClipTextConfig.from(config)), ClipTextEncoder::parameters,
        backend, storage);
  }

  /** SDXL's second one. */
  default Component<ClipTextEncoder> loadTextEncoder2(Backend backend, Storage storage) throws IOException {
    return textEncoder2().load(config -> new ClipTextEncoder(ClipTextConfig.from(config), true),
        ClipTextEncoder::parameters, backend, storage);
  }

  /** Compares all names and shapes with the networks, before any weight is read; one error lists what does not fit. */
  default void check() throws IOException {
    List<String> problems = new ArrayList<>();
    check(problems, ModelFolder.TEXT_ENCODER, textEncoder(),
        config -> new ClipTextEncoder(ClipTextConfig.from(config)).parameters());
    if (isXl()) {
      check(problems, ModelFolder.TEXT_ENCODER_2, textEncoder2(),
          config -> new ClipTextEncoder(ClipTextConfig.from(config), true).parameters());
    }
    check(problems, ModelFolder.VAE, vae(), config -> new AutoencoderKL(VaeConfig.from(config)).parameters());
    check(problems, ModelFolder.UNET, unet(),
        config -> new UNet2DConditionModel(UNetConfig.from(config)).parameters());
    String strangers = strangers();
    if (!strangers.isEmpty()) {
      problems.add("of no part: " + strangers);
    }
    if (!problems.isEmpty()) {
      throw new IOException(path() + ": the weights do not fit the config: " + String.join(" | ", problems));
    }
  }

  private static void check(List<String> problems, String name, ComponentSource part,
      Function<ModelConfig, Parameters> declare) throws IOException {
    String ofPart = part.problems(declare);
    if (!ofPart.isEmpty()) {
      problems.add(name + ": " + ofPart);
    }
  }
}
