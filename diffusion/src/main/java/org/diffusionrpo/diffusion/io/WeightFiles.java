package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.diffusionrpo.kernels.cuda.DeviceOutOfMemoryError;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
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
  private WeightFiles() {}

  /**
   * Loads every parameter, in pieces. Tensors that are missing, of another shape, or unknown to the model are one error
   * that lists them; so is too little memory of Java's.
   *
   * @param storage for the matrices; vectors always stay {@link Storage#F32}
   */
  public static void load(Parameters parameters, TensorSource source, Naming naming, String description,
      Backend backend, Storage storage) throws IOException {
    WeightProblems problems = WeightProblems.of(parameters, source, naming);
    if (!problems.isEmpty()) {
      throw new IOException(description + ": the weights do not fit the config: " + problems);
    }
    long inUse = backend.memory().liveBytes();
    try {
      WeightReader reader = new WeightReader(source);
      // Too little memory shows early, and the collector's young generation does not grow by arrays that stay.
      List<Parameter> largestFirst = new ArrayList<>(parameters.all());
      largestFirst.sort(Comparator.comparingInt((Parameter p) -> p.shape().size()).reversed());
      for (Parameter parameter : largestFirst) {
        FileTensor place = naming.find(parameter, source);
        parameter.fill(backend, storage(parameter, storage), value -> reader.read(value, place));
      }
    } catch (DeviceOutOfMemoryError e) { // says itself what the device has
      parameters.close();
      throw e;
    } catch (OutOfMemoryError e) {
      parameters.close(); // what was loaded is of no use, and room for the message
      throw new IOException(description + ": " + tooLarge(parameters, storage, inUse), e);
    }
  }

  private static Storage storage(Parameter parameter, Storage ofMatrices) {
    return parameter.isMatrix() ? ofMatrices : Storage.F32;
  }

  private static String tooLarge(Parameters parameters, Storage storage, long inUse) {
    long needed = parameters.all().stream()
        .mapToLong(p -> (long) p.shape().size() * storage(p, storage).bytes()).sum();
    return String.format(Locale.ROOT, "too little memory: the weights need %s as %s, other parts of the model take %s, "
        + "and Java's heap is at most %s; give it more, e.g. DRPO_HEAP=%dg drpo ...%s", gib(needed),
        storage.name().toLowerCase(Locale.ROOT), gib(inUse), gib(Runtime.getRuntime().maxMemory()),
        (2 * (needed + inUse) >> 30) + 1,
        (storage == Storage.F32 ? ", or keep frozen weights in half precision with --storage bf16 or f16" : "")
            + "; drpo plan tells which options make an alignment fit");
  }

  private static String gib(long bytes) {
    return String.format(Locale.ROOT, "%.2f GiB", (double) bytes / (1 << 30));
  }

  /** Writes a component's weights under the file names of diffusers, in shards where they are large. */
  public static void save(Parameters parameters, Path folder, String stem, DType dtype,
      Function<Parameter, float[]> values) throws IOException {
    save(parameters, folder, stem, dtype, values, ShardedSafetensorsWriter.DEFAULT_MAX_SHARD_BYTES);
  }

  static void save(Parameters parameters, Path folder, String stem, DType dtype, Function<Parameter, float[]> values,
      long maxShardBytes) throws IOException {
    List<TensorInfo> infos = parameters.all().stream().map(p -> CheckpointMapping.info(p, dtype)).toList();
    try (TensorSink sink = ShardedSafetensorsWriter.create(folder, stem, infos, maxShardBytes)) {
      write(parameters, sink, values);
    }
  }

  /**
   * Writes a component's weights under the file names of diffusers with the numbers and types that they have in a
   * source, whatever the parameters hold; one at a time is in memory.
   */
  static void copy(Parameters parameters, TensorSource source, Naming naming, Path folder, String stem)
      throws IOException {
    List<TensorInfo> infos = parameters.all().stream()
        .map(p -> CheckpointMapping.info(p, source.info(naming.find(p, source).name()).dtype())).toList();
    WeightReader reader = new WeightReader(source);
    try (TensorSink sink =
        ShardedSafetensorsWriter.create(folder, stem, infos, ShardedSafetensorsWriter.DEFAULT_MAX_SHARD_BYTES)) {
      for (Parameter parameter : parameters.all()) {
        Backend backend = parameter.value().backend();
        try (MemoryScope scope = backend.scope()) {
          Tensor value = backend.empty(parameter.shape());
          reader.read(value, naming.find(parameter, source));
          sink.writeFloats(parameter.name(), CheckpointMapping.toFile(parameter.shape(), value.toArray()));
        }
      }
      sink.commit();
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
}
