package org.diffusionrpo.diffusion.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import org.diffusionrpo.tensor.io.AtomicFiles;

/** Typed reading of a component's {@code config.json}; every complaint names the file and the key. */
public final class ModelConfig {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String source;
  private final ObjectNode node;

  private ModelConfig(String source, ObjectNode node) {
    this.source = source;
    this.node = node;
  }

  public static ModelConfig read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(file.toString(), null, "there is no such file");
    }
    try {
      return parse(file.toString(), Files.readString(file));
    } catch (CharacterCodingException e) {
      throw new IOException(file + ": is not UTF-8 text", e);
    }
  }

  /** Of settings that were not read from a file. */
  public static ModelConfig of(String source, ObjectNode json) {
    return new ModelConfig(source, json);
  }

  /** Writes all keys, known or not, in their order. */
  public void write(Path file) throws IOException {
    AtomicFiles.write(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n");
  }

  /** The object under a key; empty if there is none. */
  public ModelConfig child(String key) {
    if (!has(key)) {
      return new ModelConfig(source + " " + key, JSON.createObjectNode());
    }
    if (node.get(key) instanceof ObjectNode object) {
      return new ModelConfig(source + " " + key, object);
    }
    throw wrong(key, "an object");
  }

  /** @param source what to call it in messages */
  public static ModelConfig parse(String source, String json) throws IOException {
    try {
      if (JSON.readTree(json) instanceof ObjectNode object) {
        return new ModelConfig(source, object);
      }
    } catch (JsonProcessingException e) {
      throw new IOException(source + ": not valid JSON: " + e.getOriginalMessage(), e);
    }
    throw new IOException(source + ": expected a JSON object");
  }

  public String source() {
    return source;
  }

  public ObjectNode json() {
    return node;
  }

  public boolean has(String key) {
    return node.hasNonNull(key);
  }

  public int integer(String key, int fallback) {
    return has(key) ? integer(key) : fallback;
  }

  public int integer(String key) {
    JsonNode value = required(key);
    if (!value.isNumber() || !value.canConvertToInt() || !value.canConvertToExactIntegral()) {
      throw wrong(key, "a whole number");
    }
    return value.intValue();
  }

  public float number(String key, float fallback) {
    if (!has(key)) {
      return fallback;
    }
    if (!node.get(key).isNumber()) {
      throw wrong(key, "a number");
    }
    return node.get(key).floatValue();
  }

  public boolean flag(String key, boolean fallback) {
    if (!has(key)) {
      return fallback;
    }
    if (!node.get(key).isBoolean()) {
      throw wrong(key, "true or false");
    }
    return node.get(key).booleanValue();
  }

  public String text(String key, String fallback) {
    if (!has(key)) {
      return fallback;
    }
    if (!node.get(key).isTextual()) {
      throw wrong(key, "a string");
    }
    return node.get(key).textValue();
  }

  /** A list of whole numbers. */
  public int[] integers(String key) {
    JsonNode value = required(key);
    if (!value.isArray() || value.isEmpty()) {
      throw wrong(key, "a list of whole numbers");
    }
    int[] numbers = new int[value.size()];
    for (int i = 0; i < numbers.length; i++) {
      if (!value.get(i).canConvertToInt() || !value.get(i).canConvertToExactIntegral()) {
        throw wrong(key, "a list of whole numbers");
      }
      numbers[i] = value.get(i).intValue();
    }
    return numbers;
  }

  /** One number for all {@code count} levels, or a list with one for each. */
  public int[] perLevel(String key, int count, int fallback) {
    if (has(key) && node.get(key).isArray()) {
      int[] numbers = integers(key);
      if (numbers.length != count) {
        throw wrong(key, "one number, or " + count + " of them");
      }
      return numbers;
    }
    int[] numbers = new int[count];
    java.util.Arrays.fill(numbers, integer(key, fallback));
    return numbers;
  }

  /** A list of strings. */
  public String[] texts(String key) {
    JsonNode value = required(key);
    if (!value.isArray() || value.isEmpty()) {
      throw wrong(key, "a list of strings");
    }
    String[] texts = new String[value.size()];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = value.get(i).asText();
    }
    return texts;
  }

  /** Fails unless the key is absent, null or one of the values that this implementation covers. */
  public void onlySupports(String key, Set<String> values) {
    if (has(key) && !values.contains(node.get(key).asText())) {
      throw new IllegalArgumentException(source + ": " + key + " = " + node.get(key) + " is not supported"
          + (values.isEmpty() ? "" : "; supported: " + String.join(", ", values)));
    }
  }

  /** {@link #integers} and its kin call this for a key that must be there. */
  private JsonNode required(String key) {
    if (!has(key)) {
      throw new IllegalArgumentException(source + ": " + key + " is missing");
    }
    return node.get(key);
  }

  private IllegalArgumentException wrong(String key, String expected) {
    return new IllegalArgumentException(source + ": " + key + " = " + node.get(key) + ": expected " + expected);
  }
}
