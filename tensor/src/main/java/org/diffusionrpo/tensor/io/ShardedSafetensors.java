package org.diffusionrpo.tensor.io;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Reads tensors spread over several safetensors files of one folder, by an index
 * {@code {"metadata": {"total_size": bytes}, "weight_map": {tensor name: file name}}}.
 */
public final class ShardedSafetensors implements TensorSource {
  /** Far above any real index; that of SDXL has less than 200 kB. */
  private static final long MAX_INDEX_BYTES = 10_000_000;

  /** Printable ASCII without separators: a name no file system refuses, inside the folder. */
  private static final String SHARD_NAME = "[ -~&&[^/\\\\:]]+\\.safetensors";

  private final Path index;
  private final Map<String, SafetensorsFile> shards = new LinkedHashMap<>();
  private final Map<String, SafetensorsFile> shardOf = new LinkedHashMap<>();

  private ShardedSafetensors(Path index) {
    this.index = index;
  }

  /**
   * Opens all shards of an index and checks that each tensor is where the index says and nowhere else;
   * {@link IOException} that names the index or the shard if not.
   */
  public static ShardedSafetensors open(Path index) throws IOException {
    ShardedSafetensors sharded = new ShardedSafetensors(index);
    try {
      Map<String, String> weightMap = readIndex(index);
      for (Map.Entry<String, String> weight : weightMap.entrySet()) {
        sharded.add(weight.getKey(), weight.getValue());
      }
      sharded.checkUnique();
      return sharded;
    } catch (IOException e) {
      sharded.close();
      throw e;
    }
  }

  private static Map<String, String> readIndex(Path index) throws IOException {
    if (Files.size(index) > MAX_INDEX_BYTES) {
      throw new IOException(index + ": has " + Files.size(index) + " bytes, too many for an index");
    }
    Map<String, String> weightMap = null;
    try (JsonParser json =
        SafetensorsHeader.JSON.createParser(SafetensorsHeader.strictUtf8(Files.readAllBytes(index)))) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException(index + ": is not a JSON object");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        boolean weights = json.currentName().equals("weight_map");
        json.nextToken();
        if (weights) {
          weightMap = readWeightMap(index, json);
        } else {
          json.skipChildren();
        }
      }
      if (json.nextToken() != null) {
        throw new IOException(index + ": goes on after its closing brace");
      }
    } catch (CharacterCodingException e) {
      throw new IOException(index + ": is not valid UTF-8", e);
    } catch (JsonProcessingException e) {
      throw new IOException(index + ": is not valid JSON: " + Messages.line(e.getOriginalMessage()), e);
    }
    if (weightMap == null) {
      throw new IOException(index + ": has no weight_map");
    }
    return weightMap;
  }

  private static Map<String, String> readWeightMap(Path index, JsonParser json) throws IOException {
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw new IOException(index + ": weight_map is not an object");
    }
    Map<String, String> weightMap = new LinkedHashMap<>();
    Map<String, String> sameName = new HashMap<>(); // thousands of tensors share a few file names
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String tensor = json.currentName();
      if (json.nextToken() != JsonToken.VALUE_STRING) {
        throw new IOException(index + ": weight_map names no file for tensor " + Messages.quote(tensor));
      }
      String shard = sameName.computeIfAbsent(json.getText(), name -> name);
      if (!shard.matches(SHARD_NAME)) {
        throw new IOException(index + ": " + Messages.quote(shard) + " is not the name of a safetensors file");
      }
      weightMap.put(tensor, shard);
    }
    return weightMap;
  }

  private void add(String tensor, String shardName) throws IOException {
    SafetensorsFile shard = shards.get(shardName);
    if (shard == null) {
      Path file = index.resolveSibling(shardName);
      if (!Files.isRegularFile(file)) {
        throw new IOException(index + ": names the file " + Messages.quote(shardName) + ", which does not exist");
      }
      shard = SafetensorsFile.open(file);
      shards.put(shardName, shard);
    }
    if (!shard.names().contains(tensor)) {
      throw new IOException(index + ": tensor " + Messages.quote(tensor) + " is not in " + Messages.quote(shardName));
    }
    shardOf.put(tensor, shard);
  }

  private void checkUnique() throws IOException {
    Map<String, String> first = new HashMap<>();
    for (Map.Entry<String, SafetensorsFile> shard : shards.entrySet()) {
      for (String tensor : shard.getValue().names()) {
        String other = first.putIfAbsent(tensor, shard.getKey());
        if (other != null) {
          throw new IOException(index + ": tensor " + Messages.quote(tensor) + " is in both " + Messages.quote(other)
              + " and " + Messages.quote(shard.getKey()));
        }
      }
    }
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(shardOf.keySet());
  }

  @Override
  public TensorInfo info(String name) {
    return shard(name).info(name);
  }

  @Override
  public float[] readFloats(String name) throws IOException {
    return shard(name).readFloats(name);
  }

  @Override
  public void readFloats(String name, long first, float[] values, int count) throws IOException {
    shard(name).readFloats(name, first, values, count);
  }

  @Override
  public short[] readHalves(String name) throws IOException {
    return shard(name).readHalves(name);
  }

  @Override
  public long[] readLongs(String name) throws IOException {
    return shard(name).readLongs(name);
  }

  @Override
  public Map<String, String> metadata() {
    return Map.of();
  }

  private SafetensorsFile shard(String name) {
    SafetensorsFile shard = shardOf.get(name);
    if (shard == null) {
      throw new IllegalArgumentException(index + ": has no tensor " + Messages.quote(name));
    }
    return shard;
  }

  /** Closes every shard, also when one of them fails to. */
  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (SafetensorsFile shard : shards.values()) {
      try {
        shard.close();
      } catch (IOException e) {
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
