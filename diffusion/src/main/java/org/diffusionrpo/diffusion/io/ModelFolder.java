package org.diffusionrpo.diffusion.io;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
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

/**
 * A Stable Diffusion model on the disk, in the layout of diffusers.
 * <pre>
 *   model_index.json   unet/   vae/   text_encoder/   tokenizer/   scheduler/
 *   text_encoder_2/   tokenizer_2/     SDXL only
 *   clip/              not part of diffusers' layout: the whole CLIP that preference training measures similarity with
 * </pre>
 * Opening reads the index alone; every part can be loaded by itself. Faults are {@link IOException}s of one line that
 * name the file.
 */
public final class ModelFolder {
  public static final String UNET = "unet";
  public static final String VAE = "vae";
  public static final String TEXT_ENCODER = "text_encoder";
  public static final String TEXT_ENCODER_2 = "text_encoder_2";
  public static final String TOKENIZER = "tokenizer";
  public static final String TOKENIZER_2 = "tokenizer_2";
  public static final String SCHEDULER = "scheduler";
  public static final String CLIP = "clip";

  static final String INDEX = "model_index.json";
  static final String SCHEDULER_CONFIG = "scheduler_config.json";
  /** What every Stable Diffusion has. */
  static final List<String> REQUIRED = List.of(UNET, VAE, TEXT_ENCODER, TOKENIZER, SCHEDULER);
  /** What SDXL has besides. */
  private static final List<String> XL = List.of(TEXT_ENCODER_2, TOKENIZER_2);
  /** All parts that this implementation reads and writes. */
  static final List<String> USED = Stream.of(REQUIRED, XL).flatMap(List::stream).toList();

  private final Path path;
  private final ModelConfig index;
  private final String variant;

  private ModelFolder(Path path, ModelConfig index, String variant) {
    this.path = path;
    this.index = index;
    this.variant = variant;
  }

  /** Throws unless a model can be saved there: where nothing is, in an empty folder, in place of another model. */
  public static void requireWritable(Path path) throws IOException {
    AtomicFolder.requireReplaceable(path, INDEX);
  }

  /** Opens a folder and checks that the parts of its index are there. */
  public static ModelFolder open(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      throw new IOException(path + (Files.exists(path)
          ? ": is a file; expected a model folder in the layout of diffusers, with a " + INDEX
          : ": there is no such model folder"));
    }
    if (!Files.isRegularFile(path.resolve(INDEX))) {
      throw new IOException(path + ": is not a model folder in the layout of diffusers, it has no " + INDEX);
    }
    ModelFolder folder = new ModelFolder(path, ModelConfig.read(path.resolve(INDEX)), null);
    folder.checkParts();
    return folder;
  }

  /** @param name e.g. {@code fp16}: weights with this in their file name are taken where there are some */
  public ModelFolder withVariant(String name) {
    return new ModelFolder(path, index, name);
  }

  public Path path() {
    return path;
  }

  public ModelConfig index() {
    return index;
  }

  /** For example {@code StableDiffusionPipeline}. */
  public String pipelineClass() {
    return index.text("_class_name", "StableDiffusionPipeline");
  }

  /** The parts that the index lists and does not call absent, in its order. */
  public List<String> components() {
    List<String> names = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : index.json().properties()) {
      if (isComponent(entry.getValue()) && entry.getValue().get(1).isTextual()) {
        names.add(entry.getKey());
      }
    }
    return names;
  }

  public boolean has(String component) {
    return components().contains(component);
  }

  /** Whether this is an SDXL, with two text encoders. */
  public boolean isXl() {
    return has(TEXT_ENCODER_2);
  }

  public Path component(String name) {
    return path.resolve(name);
  }

  public ComponentFolder unet() {
    return ComponentFolder.diffusers(component(UNET), "UNet2DConditionModel", variant);
  }

  public ComponentFolder vae() {
    return ComponentFolder.diffusers(component(VAE), "AutoencoderKL", variant);
  }

  public ComponentFolder textEncoder() {
    return ComponentFolder.transformers(component(TEXT_ENCODER), "CLIPTextModel", variant);
  }

  public ComponentFolder textEncoder2() {
    return ComponentFolder.transformers(component(TEXT_ENCODER_2), "CLIPTextModelWithProjection", variant);
  }

  /** The CLIP beside the pipeline, if there is one. */
  public Optional<Path> clip() {
    return Optional.of(path.resolve(CLIP)).filter(Files::isDirectory);
  }

  /** @param checkpointing recompute activations in backward: less memory, more time */
  public Component<UNet2DConditionModel> loadUNet(Backend backend, Storage storage, boolean checkpointing)
      throws IOException {
    return unet().load(config -> new UNet2DConditionModel(UNetConfig.from(config), checkpointing),
        UNet2DConditionModel::parameters, backend, storage);
  }

  public Component<AutoencoderKL> loadVae(Backend backend, Storage storage) throws IOException {
    return vae().load(config -> new AutoencoderKL(VaeConfig.from(config)), AutoencoderKL::parameters, backend, storage);
  }

  public Component<ClipTextEncoder> loadTextEncoder(Backend backend, Storage storage) throws IOException {
    return loadText(textEncoder(), false, backend, storage);
  }

  /** SDXL's second one. */
  public Component<ClipTextEncoder> loadTextEncoder2(Backend backend, Storage storage) throws IOException {
    return loadText(textEncoder2(), true, backend, storage);
  }

  private static Component<ClipTextEncoder> loadText(ComponentFolder folder, boolean withProjection, Backend backend,
      Storage storage) throws IOException {
    return folder.load(config -> new ClipTextEncoder(ClipTextConfig.from(config), withProjection),
        ClipTextEncoder::parameters, backend, storage);
  }

  public ClipTokenizer loadTokenizer() throws IOException {
    return ClipTokenizer.load(component(TOKENIZER));
  }

  public ClipTokenizer loadTokenizer2() throws IOException {
    return ClipTokenizer.load(component(TOKENIZER_2));
  }

  public Component<SchedulerConfig> loadScheduler() throws IOException {
    Path file = component(SCHEDULER).resolve(SCHEDULER_CONFIG);
    ModelConfig raw = ModelConfig.read(file);
    return new Component<>(SchedulerConfig.read(file), raw);
  }

  /** {@code [library, class]}; other values of the index are options of the pipeline. */
  static boolean isComponent(JsonNode value) {
    return value.isArray() && value.size() == 2;
  }

  private void checkParts() throws IOException {
    List<String> missing = new ArrayList<>();
    for (String name : XL.stream().anyMatch(this::has) ? USED : REQUIRED) {
      if (!has(name)) {
        missing.add(name + " (not in " + INDEX + ")");
      } else if (!Files.isDirectory(component(name))) {
        missing.add(name + "/");
      }
    }
    if (!missing.isEmpty()) {
      throw new IOException(path + ": an incomplete model, it lacks " + String.join(", ", missing));
    }
  }
}
