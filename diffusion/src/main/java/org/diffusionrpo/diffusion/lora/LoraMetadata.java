package org.diffusionrpo.diffusion.lora;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.diffusionrpo.diffusion.io.ModelConfig;

/**
 * PEFT's settings of a LoRA, where alpha stands when no tensor holds it: {@code lora_adapter_metadata} in a file's
 * metadata, its keys prefixed by the part of the model ({@code unet.lora_alpha}), or {@code adapter_config.json} beside
 * the file. Patterns match whole paths of modules or their ends.
 */
final class LoraMetadata {
  private static final String KEY = "lora_adapter_metadata";
  private static final String CONFIG = "adapter_config.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ObjectNode json;

  private LoraMetadata(ObjectNode json) {
    this.json = json;
  }

  /** The settings of a file, none if it tells none; {@link IOException} for kinds that are not supported. */
  static LoraMetadata read(Path file, Map<String, String> metadata) throws IOException {
    Path config = file.resolveSibling(CONFIG);
    ObjectNode json = JSON.createObjectNode();
    if (metadata.containsKey(KEY)) {
      json = ModelConfig.parse(file + ": " + KEY, metadata.get(KEY)).json();
    } else if (Files.isRegularFile(config)) {
      for (Map.Entry<String, JsonNode> entry : ModelConfig.read(config).json().properties()) {
        json.set(LoraModules.UNET + "." + entry.getKey(), entry.getValue());
      }
    }
    for (Map.Entry<String, JsonNode> entry : json.properties()) {
      if (entry.getKey().endsWith("use_dora") && entry.getValue().asBoolean()) {
        throw new IOException(file + ": " + entry.getKey() + " says that it is DoRA; only plain LoRA is supported");
      }
    }
    return new LoraMetadata(json);
  }

  /** alpha of a module without an alpha tensor: the rank, so a factor of 1, where nothing is said. */
  double alpha(String component, String module, int rank) {
    JsonNode alpha = json.path(component + ".lora_alpha");
    for (Map.Entry<String, JsonNode> pattern : json.path(component + ".alpha_pattern").properties()) {
      if (module.equals(pattern.getKey()) || module.endsWith("." + pattern.getKey())) {
        alpha = pattern.getValue();
      }
    }
    if (!alpha.isNumber()) {
      return rank;
    }
    // rsLoRA divides by the root of the rank: Kalajdzievski 2023, arXiv:2312.03732.
    return json.path(component + ".use_rslora").asBoolean() ? alpha.asDouble() * Math.sqrt(rank) : alpha.asDouble();
  }

  /** The metadata that files of PEFT and diffusers carry: rank and alpha of each part, exceptions as patterns. */
  static Map<String, String> of(List<LoraLayer> layers) {
    ObjectNode json = JSON.createObjectNode();
    Map<String, List<LoraLayer>> byComponent =
        layers.stream().collect(Collectors.groupingBy(LoraLayer::component, LinkedHashMap::new, Collectors.toList()));
    byComponent.forEach((component, all) -> {
      LoraLayer first = all.get(0);
      json.put(component + ".peft_type", "LORA").put(component + ".r", first.rank())
          .put(component + ".lora_alpha", first.alpha());
      ObjectNode ranks = json.putObject(component + ".rank_pattern");
      ObjectNode alphas = json.putObject(component + ".alpha_pattern");
      for (LoraLayer layer : all) {
        if (layer.rank() != first.rank()) {
          ranks.put(layer.module(), layer.rank());
        }
        if (layer.alpha() != first.alpha()) {
          alphas.put(layer.module(), layer.alpha());
        }
      }
      var targets = json.putArray(component + ".target_modules");
      all.stream().map(LoraLayer::module).collect(Collectors.toCollection(TreeSet::new)).forEach(targets::add);
    });
    return new TreeMap<>(Map.of(KEY, json.toString()));
  }
}
