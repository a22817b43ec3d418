package org.diffusionrpo.diffusion.io;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;

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
public final class ModelFolder implements ModelSource {
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

  @Override
  public Path path() {
    return path;
  }

  @Override
  public ModelConfig index() {
    return index;
  }

  public Path component(String name) {
    return path.resolve(name);
  }

  @Override
  public ComponentFolder unet() {
    return ComponentFolder.diffusers(component(UNET), ComponentKind.UNET.className(), variant);
  }

  @Override
  public ComponentFolder vae() {
    return ComponentFolder.diffusers(component(VAE), ComponentKind.VAE.className(), variant);
  }

  @Override
  public ComponentFolder textEncoder() {
    return ComponentFolder.transformers(component(TEXT_ENCODER), ComponentKind.TEXT_ENCODER.className(), variant);
  }

  @Override
  public ComponentFolder textEncoder2() {
    return ComponentFolder.transformers(component(TEXT_ENCODER_2), ComponentKind.TEXT_ENCODER_2.className(), variant);
  }

  @Override
  public Optional<Path> clip() {
    return Optional.of(path.resolve(CLIP)).filter(Files::isDirectory);
  }

  @Override
  public ClipTokenizer loadTokenizer() throws IOException {
    return ClipTokenizer.load(component(TOKENIZER));
  }

  @Override
  public ClipTokenizer loadTokenizer2() throws IOException {
    return ClipTokenizer.load(component(TOKENIZER_2));
  }

  @Override
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
    List<String> present = components();
    for (String name : Collections.disjoint(present, XL) ? REQUIRED : USED) {
      if (!present.contains(name)) {
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
