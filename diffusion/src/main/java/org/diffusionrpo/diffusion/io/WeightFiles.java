package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.SafetensorsWriter;
import org.diffusionrpo.tensor.io.ShardedSafetensorsWriter;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSink;
import org.diffusionrpo.tensor.io.TensorSource;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/** Fills a model's parameters from a checkpoint and writes them as one. */
public final class WeightFiles {
  private static final int SHOWN = 5;

  private WeightFiles() {}

  /**
   * Loads every parameter, one at a time. Tensors that are missing, of another shape, or unknown to the model are one
   * error that lists them.
   *
   * @param storage for the matrices; vectors always stay {@link Storage#F32}
   */
  public static void load(Parameters parameters, TensorSource source, String description, Backend backend,
      Storage storage) throws IOException {
    List<String> problems = problems(parameters, source);
    if (!problems.isEmpty()) {
      throw new IOException(description + ": the weights do not fit the config: " + summary(problems));
    }
    for (Parameter parameter : parameters.all()) {
      float[] values = CheckpointMapping.toMemory(parameter.shape(), source.readFloats(find(parameter, source)));
      parameter.set(backend, values, parameter.isMatrix() ? storage : Storage.F32);
    }
  }

  /** Writes a component's weights under the file names of diffusers, in shards where they are large. */
  public static void save(Parameters parameters, Path folder, String stem, DType dtype,
      Function<Parameter, float[]> values) throws IOException {
    List<TensorInfo> infos = parameters.all().stream().map(p -> CheckpointMapping.info(p, dtype)).toList();
    try (TensorSink sink = ShardedSafetensorsWriter.create(
        folder, stem, infos, ShardedSafetensorsWriter.DEFAULT_MAX_SHARD_BYTES)) {
      write(parameters, sink, values);
    }
  }

  /** Writes all parameters atomically as one safetensors file. */
  public static void save(Parameters parameters, Path file, DType dtype) throws IOException {
    save(parameters, file, dtype, parameter -> parameter.value().toArray());
  }

  /** Writes other values than the present ones, such as a weight average. */
  public static void save(Parameters parameters, Path file, DType dtype, Function<Parameter, float[]> values)
      throws IOException {
    List<TensorInfo> infos = parameters.all().stream().map(p -> CheckpointMapping.info(p, dtype)).toList();
    try (TensorSink sink = SafetensorsWriter.create(file, infos)) {
      write(parameters, sink, values);
    }
  }

  private static void write(Parameters parameters, TensorSink sink, Function<Parameter, float[]> values)
      throws IOException {
    for (Parameter parameter : parameters.all()) {
      sink.writeFloats(parameter.name(), CheckpointMapping.toFile(parameter.shape(), values.apply(parameter)));
    }
    sink.commit();
  }

  private static List<String> problems(Parameters parameters, TensorSource source) {
    List<String> missing = new ArrayList<>();
    List<String> problems = new ArrayList<>();
    Set<String> used = new HashSet<>();
    for (Parameter parameter : parameters.all()) {
      String name = find(parameter, source);
      if (name == null) {
        missing.add(parameter.name());
      } else if (!CheckpointMapping.fits(parameter, source.info(name))) {
        problems.add(source.info(name) + " instead of " + CheckpointMapping.info(parameter, DType.F32).shape());
      }
      used.add(name);
    }
    List<String> unknown = source.names().stream()
        .filter(name -> !used.contains(name) && !CheckpointMapping.isIgnored(name)).toList();
    missing.forEach(name -> problems.add("missing " + name));
    for (String name : unknown) {
      String nearest = problems.size() < SHOWN ? NearestName.of(name, missing) : null;
      problems.add("unknown " + name + (nearest == null ? "" : " (meant to be " + nearest + "?)"));
    }
    return problems;
  }

  private static String find(Parameter parameter, TensorSource source) {
    for (String name : CheckpointMapping.names(parameter)) {
      if (source.names().contains(name)) {
        return name;
      }
    }
    return null;
  }

  private static String summary(List<String> problems) {
    String shown = String.join("; ", problems.subList(0, Math.min(SHOWN, problems.size())));
    return problems.size() > SHOWN ? shown + "; and " + (problems.size() - SHOWN) + " more" : shown;
  }
}
