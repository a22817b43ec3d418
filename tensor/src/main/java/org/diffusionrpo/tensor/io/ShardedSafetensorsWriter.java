package org.diffusionrpo.tensor.io;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the weights of a component under the file names of diffusers: {@code stem.safetensors} if all fits into one
 * file, else {@code stem-00001-of-00003.safetensors} and so on, with {@code stem.safetensors.index.json} last.
 */
public final class ShardedSafetensorsWriter implements TensorSink {
  /** What diffusers uses: 10 GB. */
  public static final long DEFAULT_MAX_SHARD_BYTES = 10_000_000_000L;

  private final Path plain;
  private final Path index;
  private final Map<String, SafetensorsWriter> shards = new LinkedHashMap<>();
  private final Map<String, String> shardOf = new LinkedHashMap<>();
  private long totalBytes;

  private ShardedSafetensorsWriter(Path folder, String stem) {
    this.plain = folder.resolve(stem + ".safetensors");
    this.index = folder.resolve(stem + ".safetensors.index.json");
  }

  /**
   * Announces the tensors. They fill the shards in the order given; a shard ends before the tensor that would make its
   * data longer than {@code maxShardBytes}, so only a single tensor can be larger.
   *
   * @param stem e.g. {@code diffusion_pytorch_model}
   */
  public static ShardedSafetensorsWriter create(
      Path folder, String stem, Collection<TensorInfo> tensors, long maxShardBytes) throws IOException {
    if (maxShardBytes < 1) {
      throw new IllegalArgumentException("a shard of at most " + maxShardBytes + " bytes holds no tensor");
    }
    ShardedSafetensorsWriter writer = new ShardedSafetensorsWriter(folder, stem);
    List<List<TensorInfo>> plan = plan(tensors, maxShardBytes);
    try {
      for (int i = 0; i < plan.size(); i++) {
        Path file = plan.size() == 1
            ? writer.plain
            : folder.resolve(String.format("%s-%05d-of-%05d.safetensors", stem, i + 1, plan.size()));
        writer.add(file, plan.get(i));
      }
      return writer;
    } catch (IOException | RuntimeException e) {
      writer.close();
      throw e;
    }
  }

  private static List<List<TensorInfo>> plan(Collection<TensorInfo> tensors, long maxShardBytes) {
    List<List<TensorInfo>> plan = new ArrayList<>();
    plan.add(new ArrayList<>());
    long bytes = 0;
    for (TensorInfo tensor : tensors) {
      if (bytes > 0 && tensor.bytes() > maxShardBytes - bytes) {
        plan.add(new ArrayList<>());
        bytes = 0;
      }
      plan.get(plan.size() - 1).add(tensor);
      bytes += tensor.bytes();
    }
    return plan;
  }

  private void add(Path file, List<TensorInfo> tensors) throws IOException {
    String shard = file.getFileName().toString();
    for (TensorInfo tensor : tensors) {
      if (shardOf.put(tensor.name(), shard) != null) {
        throw new IllegalArgumentException(index + ": tensor " + Messages.quote(tensor.name()) + " is listed twice");
      }
      totalBytes += tensor.bytes();
    }
    shards.put(shard, SafetensorsWriter.create(file, tensors));
  }

  @Override
  public void writeFloats(String name, float[] values) throws IOException {
    shard(name).writeFloats(name, values);
  }

  @Override
  public void writeHalves(String name, short[] values) throws IOException {
    shard(name).writeHalves(name, values);
  }

  @Override
  public void writeLongs(String name, long[] values) throws IOException {
    shard(name).writeLongs(name, values);
  }

  private SafetensorsWriter shard(String name) {
    String shard = shardOf.get(name);
    if (shard == null) {
      throw new IllegalArgumentException(index + ": tensor " + Messages.quote(name) + " was not announced");
    }
    return shards.get(shard);
  }

  /** Also removes the plain file or the index of an older save, which would name other weights. */
  @Override
  public void commit() throws IOException {
    for (SafetensorsWriter shard : shards.values()) {
      shard.requireComplete();
    }
    for (SafetensorsWriter shard : shards.values()) {
      shard.commit();
    }
    if (shards.size() == 1) {
      Files.deleteIfExists(index);
    } else {
      writeIndex();
      Files.deleteIfExists(plain);
    }
  }

  private void writeIndex() throws IOException {
    AtomicFiles.write(index, out -> {
      try (JsonGenerator json = SafetensorsHeader.JSON.createGenerator(out).useDefaultPrettyPrinter()) {
        json.writeStartObject();
        json.writeObjectFieldStart("metadata");
        json.writeNumberField("total_size", totalBytes);
        json.writeEndObject();
        json.writeObjectFieldStart("weight_map");
        for (Map.Entry<String, String> weight : shardOf.entrySet()) {
          json.writeStringField(weight.getKey(), weight.getValue());
        }
        json.writeEndObject();
        json.writeEndObject();
      }
    });
  }

  /** Closes every shard, also when one of them fails to. */
  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (SafetensorsWriter shard : shards.values()) {
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
