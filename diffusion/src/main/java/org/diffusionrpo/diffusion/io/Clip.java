package org.diffusionrpo.diffusion.io;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.diffusionrpo.diffusion.clip.ClipImages;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.clip.ClipVisionConfig;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * A whole CLIP with its tokenizer, in the folder layout of transformers: {@code config.json} with a text_config and a
 * vision_config, {@code model.safetensors}, {@code preprocessor_config.json} and the tokenizer's files.
 *
 * @param preprocessor how pictures become pixels; checked, since only the usual way is supported, and kept
 */
public record Clip(Component<ClipModel> model, ClipTokenizer tokenizer, ModelConfig preprocessor)
    implements AutoCloseable {
  private static final String CLASS = "CLIPModel";
  private static final String PREPROCESSOR = "preprocessor_config.json";

  /** Loads a folder; every fault is an {@link IOException} that names the file. */
  public static Clip load(Path path, Backend backend, Storage storage) throws IOException {
    if (!Files.isDirectory(path)) {
      throw new IOException(path + ": there is no such CLIP folder");
    }
    Path settings = path.resolve(PREPROCESSOR);
    ClipTokenizer tokenizer = ClipTokenizer.load(path);
    Component<ClipModel> model = ComponentFolder.transformers(path, CLASS, null)
        .load(Clip::build, ClipModel::parameters, backend, storage);
    try {
      ModelConfig preprocessor = Files.exists(settings) ? ModelConfig.read(settings)
          : newPreprocessor(model.value().vision().config().imageSize());
      check(path, model.value(), tokenizer, preprocessor);
      return new Clip(model, tokenizer, preprocessor);
    } catch (IOException | RuntimeException | Error e) {
      model.value().close();
      throw e;
    }
  }

  /** A model without values by its config.json. */
  public static ClipModel build(ModelConfig config) {
    return new ClipModel(ClipTextConfig.from(tower(config, "text_config")),
        ClipVisionConfig.from(tower(config, "vision_config")));
  }

  /** The settings of a tower in a whole model's config; a projection_dim at the top holds for both towers. */
  public static ModelConfig tower(ModelConfig config, String key) {
    ModelConfig child = config.child(key);
    if (!config.has("projection_dim")) {
      return child;
    }
    ObjectNode json = child.json().deepCopy();
    json.set("projection_dim", config.json().get("projection_dim"));
    return ModelConfig.of(child.source(), json);
  }

  /** CLIP's usual preprocessing for square pictures of this size. */
  public static ModelConfig newPreprocessor(int size) {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("image_processor_type", "CLIPImageProcessor").put("do_resize", true).put("do_center_crop", true)
        .put("do_normalize", true).put("do_rescale", true).put("do_convert_rgb", true).put("resample", 3)
        .put("rescale_factor", 1 / 255.0);
    json.putObject("size").put("shortest_edge", size);
    json.putObject("crop_size").put("height", size).put("width", size);
    json.putArray("image_mean").add(0.48145466).add(0.4578275).add(0.40821073);
    json.putArray("image_std").add(0.26862954).add(0.26130258).add(0.27577711);
    return ModelConfig.of(PREPROCESSOR, json);
  }

  /** Writes the folder, which appears complete or not at all. An earlier save is replaced, any other refused. */
  public void save(Path path, DType dtype) throws IOException {
    AtomicFolder.write(path, ComponentFolder.CONFIG, folder -> {
      ComponentFolder.write(folder, "model", model.config(), model.value().parameters(), dtype);
      preprocessor.write(folder.resolve(PREPROCESSOR));
      tokenizer.save(folder);
    });
  }

  public Parameters parameters() {
    return model.value().parameters();
  }

  private static void check(Path path, ClipModel model, ClipTokenizer tokenizer, ModelConfig preprocessor)
      throws IOException {
    try {
      ClipImages.requireSupported(preprocessor, model.vision().config().imageSize());
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
    ClipTextConfig text = model.text().config();
    if (tokenizer.vocabularySize() > text.vocabSize() || tokenizer.maxLength() > text.maxPositions()) {
      throw new IOException(path + ": the tokenizer has " + tokenizer.vocabularySize() + " tokens and a "
          + "model_max_length of " + tokenizer.maxLength() + ", the text tower only " + text.vocabSize() + " and "
          + text.maxPositions());
    }
    if (tokenizer.eosId() != text.eosToken()) {
      throw new IOException(path + ": the tokenizer ends a text with token " + tokenizer.eosId() + ", the text tower "
          + "takes its embedding at token " + text.eosToken() + ", the last of vocab_size");
    }
  }

  @Override
  public void close() {
    model.value().close();
  }
}
