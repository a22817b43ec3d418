package org.diffusionrpo.diffusion.clip;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The content of {@code tokenizer_config.json} and {@code special_tokens_map.json} that changes ids.
 *
 * @param bos token before the content
 * @param eos token after the content
 * @param unknown token for what the vocabulary cannot spell
 * @param pad token that fills up to {@code maxLength}
 * @param maxLength context of the text encoder in tokens, BOS and EOS among them
 * @param addedTokens further tokens with their ids that are looked up in the raw text before anything else
 */
public record TokenizerSettings(String bos, String eos, String unknown, String pad, int maxLength,
    Map<String, Integer> addedTokens) {
  public static final String BOS = "<|startoftext|>";
  public static final String EOS = "<|endoftext|>";
  public static final int CLIP_CONTEXT = 77;

  private static final String CONFIG_FILE = "tokenizer_config.json";
  private static final String SPECIALS_FILE = "special_tokens_map.json";
  /** transformers writes 1e30 where a tokenizer has no limit. */
  private static final int NO_LIMIT = 1_000_000;
  private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  public TokenizerSettings {
    if (maxLength < 3) {
      throw new IllegalArgumentException("model_max_length " + maxLength + " leaves no room between BOS and EOS");
    }
    addedTokens = Map.copyOf(addedTokens);
  }

  /** CLIP's own: padded with EOS, no added tokens. */
  public static TokenizerSettings clip(int maxLength) {
    return new TokenizerSettings(BOS, EOS, EOS, EOS, maxLength, Map.of());
  }

  /** Reads a tokenizer folder; what neither file says is as in CLIP's own tokenizer. */
  static TokenizerSettings read(Path folder) throws IOException {
    JsonNode config = readObject(folder.resolve(CONFIG_FILE));
    JsonNode specials = readObject(folder.resolve(SPECIALS_FILE));
    double length = config.path("model_max_length").asDouble(CLIP_CONTEXT);
    String eos = token(config, specials, "eos_token", EOS);
    try {
      return new TokenizerSettings(token(config, specials, "bos_token", BOS), eos,
          token(config, specials, "unk_token", eos), token(config, specials, "pad_token", eos),
          length > NO_LIMIT ? CLIP_CONTEXT : (int) length, addedTokens(config));
    } catch (IllegalArgumentException e) {
      throw new IOException(folder.resolve(CONFIG_FILE) + ": " + e.getMessage(), e);
    }
  }

  /** Writes both files; the folder must exist. */
  void write(Path folder) throws IOException {
    ObjectNode specials = JSON.createObjectNode().put("bos_token", bos).put("eos_token", eos)
        .put("unk_token", unknown).put("pad_token", pad);
    JSON.writeValue(folder.resolve(SPECIALS_FILE).toFile(), specials);
    ObjectNode config = JSON.createObjectNode().put("tokenizer_class", "CLIPTokenizer");
    config.setAll(specials);
    config.put("model_max_length", maxLength).put("do_lower_case", true).put("add_prefix_space", false)
        .put("errors", "replace");
    ObjectNode decoder = config.putObject("added_tokens_decoder");
    addedTokens.entrySet().stream().sorted(Map.Entry.comparingByValue(Comparator.naturalOrder())).forEach(
        e -> decoder.putObject(e.getValue().toString()).put("content", e.getKey()).put("lstrip", false)
            .put("normalized", false).put("rstrip", false).put("single_word", false).put("special", true));
    JSON.writeValue(folder.resolve(CONFIG_FILE).toFile(), config);
  }

  private static Map<String, Integer> addedTokens(JsonNode config) {
    Map<String, Integer> added = new LinkedHashMap<>();
    config.path("added_tokens_decoder").properties().forEach(e -> {
      if (!e.getKey().matches("[0-9]{1,9}") || e.getValue().path("content").asText().isEmpty()) {
        throw new IllegalArgumentException("added_tokens_decoder: expected an id with a token, got " + e);
      }
      added.put(e.getValue().path("content").asText(), Integer.parseInt(e.getKey()));
    });
    return added;
  }

  /** A token is a string, or an object whose "content" is one. */
  private static String token(JsonNode config, JsonNode specials, String key, String fallback) {
    for (JsonNode file : new JsonNode[] {config, specials}) {
      JsonNode value = file.path(key).isObject() ? file.path(key).path("content") : file.path(key);
      if (value.isTextual()) {
        return value.asText();
      }
    }
    return fallback;
  }

  private static JsonNode readObject(Path file) throws IOException {
    if (!Files.exists(file)) {
      return JSON.createObjectNode();
    }
    try {
      JsonNode node = JSON.readTree(file.toFile());
      if (node.isObject()) {
        return node;
      }
      throw new IOException(file + ": expected a JSON object");
    } catch (JsonProcessingException e) {
      throw new IOException(file + ": not JSON: " + e.getOriginalMessage(), e);
    }
  }
}
