package org.diffusionrpo.rpo.pretrain;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.clip.BpeTrainer;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.clip.ClipTextConfig;
import org.diffusionrpo.diffusion.clip.ClipTextEncoder;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.Component;
import org.diffusionrpo.diffusion.io.ComponentFolder;
import org.diffusionrpo.diffusion.io.ModelConfig;
import org.diffusionrpo.diffusion.train.ClipObjective;
import org.diffusionrpo.diffusion.train.TrainListener;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImage;
import org.diffusionrpo.rpo.data.StyledImages;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.DType;

/**
 * Trains the bundled CLIP with its vocabulary. Half of its captions also name the style, so that it knows styles as
 * the large models do; the captions that the UNet learns from never do.
 */
public final class ClipPretraining {
  /** How a caption may name each style. */
  private static final Map<String, String> STYLE_WORDS = Map.of(
      "fluent", "3d render", "google", "flat emoji", "openmoji", "outlined drawing", "sketch", "black line drawing",
      "twitter", "simple flat icon");

  private ClipPretraining() {}

  /** Writes {@code clip/}, {@code text_encoder/} and {@code tokenizer/} when done; false when cancelled before. */
  public static boolean run(Backend backend, PretrainOptions options, TrainListener listener) throws IOException {
    List<List<ClipObjective.Captioned>> groups = groups(StyledImages.load(options.data()));
    List<String> captions = groups.stream().flatMap(List::stream).flatMap(item -> item.captions().stream()).toList();
    ModelConfig config = Resources.config("clip.json");
    ObjectNode text = (ObjectNode) config.json().get("text_config");
    ClipTokenizer tokenizer = BpeTrainer.train(captions, text.get("vocab_size").intValue(),
        text.get("max_position_embeddings").intValue());
    text.put("vocab_size", tokenizer.vocabularySize());
    try (ClipModel model = Clip.build(config)) {
      model.parameters().initialize(backend, options.seed());
      ClipObjective objective = new ClipObjective(backend, model, tokenizer, groups, options.batch(), options.seed());
      if (!StageRun.run(model.parameters(), objective, options, Map.of(), listener)) {
        return false;
      }
      save(backend, options, model, config, tokenizer);
      return true;
    }
  }

  private static void save(Backend backend, PretrainOptions options, ClipModel model, ModelConfig config,
      ClipTokenizer tokenizer) throws IOException {
    int imageSize = model.vision().config().imageSize();
    new Clip(new Component<>(model, config), tokenizer, Clip.newPreprocessor(imageSize))
        .save(options.model().resolve("clip"), DType.F16);
    tokenizer.save(options.model().resolve("tokenizer"));
    ObjectNode textJson = Clip.tower(config, "text_config").json().deepCopy();
    textJson.putArray("architectures").add("CLIPTextModel");
    ModelConfig textConfig = ModelConfig.of("text_encoder/config.json", textJson);
    try (ClipTextEncoder encoder = new ClipTextEncoder(ClipTextConfig.from(textConfig))) {
      encoder.parameters().copyFrom(model.parameters(), Storage.F32);
      ComponentFolder.transformers(options.model().resolve("text_encoder"), "CLIPTextModel", null)
          .save(textConfig, encoder.parameters(), DType.F16);
    }
  }

  /** One group per concept: its picture in each style. */
  private static List<List<ClipObjective.Captioned>> groups(StyledImages data) throws IOException {
    List<List<ClipObjective.Captioned>> groups = new ArrayList<>();
    for (Map<String, StyledImage> concept : data.byConcept(Split.TRAIN).values()) {
      List<ClipObjective.Captioned> group = new ArrayList<>();
      for (StyledImage image : concept.values()) {
        group.add(new ClipObjective.Captioned(
            ImageCodec.decode(image.png(), image.concept() + "/" + image.style()),
            List.of(image.caption(), image.caption() + ", " + STYLE_WORDS.get(image.style()))));
      }
      groups.add(group);
    }
    return groups;
  }
}
