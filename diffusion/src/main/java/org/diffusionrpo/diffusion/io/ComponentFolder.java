package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.io.TensorSource;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * The folder of one network: {@code config.json} and weights, in one file or in shards.
 *
 * @param stem how the weights' file names begin
 * @param className what {@code config.json} calls the network
 * @param variant a part of the weights' file names, e.g. {@code fp16}; null for the plain ones
 */
public record ComponentFolder(Path path, String stem, String className, String variant) {
  static final String CONFIG = "config.json";

  /** A UNet or VAE, by the file names of diffusers. */
  public static ComponentFolder diffusers(Path path, String className, String variant) {
    return new ComponentFolder(path, "diffusion_pytorch_model", className, variant);
  }

  /** A CLIP model, by the file names of transformers. */
  public static ComponentFolder transformers(Path path, String className, String variant) {
    return new ComponentFolder(path, "model", className, variant);
  }

  /** Reads {@code config.json}; {@link IOException} if it is another network's. */
  public ModelConfig config() throws IOException {
    ModelConfig config = ModelConfig.read(path.resolve(CONFIG));
    String found = config.json().has("_class_name") ? config.text("_class_name", "")
        : config.json().path("architectures").path(0).asText(className);
    if (!found.equals(className)) {
      throw new IOException(config.source() + ": is the config of a " + found + ", expected " + className);
    }
    return config;
  }

  /** Opens the weights without reading them. */
  public TensorSource openWeights() throws IOException {
    if (!Files.isDirectory(path)) {
      throw new IOException(path + ": there is no such folder");
    }
    return TensorSource.open(path, stem, variant);
  }

  /**
   * Builds the network and loads its weights; every fault is an {@link IOException} that names the file.
   *
   * @param storage for the matrices; only {@link Storage#F32} can be trained
   */
  public <M extends AutoCloseable> Component<M> load(Function<ModelConfig, M> make, Function<M, Parameters> parameters,
      Backend backend, Storage storage) throws IOException {
    ModelConfig config = config();
    M network = build(make, config);
    try (TensorSource weights = openWeights()) {
      WeightFiles.load(parameters.apply(network), weights, path + ": " + className, backend, storage);
      return new Component<>(network, config);
    } catch (IOException | RuntimeException e) {
      parameters.apply(network).close();
      throw e;
    }
  }

  /**
   * Writes one network alone, in the way {@link #load} reads it; the folder appears complete or not at all. An earlier
   * save is replaced, any other folder refused.
   */
  public void save(ModelConfig config, Parameters parameters, DType dtype) throws IOException {
    AtomicFolder.write(path, CONFIG, folder -> write(folder, stem, config, parameters, dtype));
  }

  static void write(Path folder, String stem, ModelConfig config, Parameters parameters, DType dtype)
      throws IOException {
    write(folder, stem, config, parameters, dtype, parameter -> parameter.value().toArray());
  }

  /** @param values of each parameter, in memory's layout */
  static void write(Path folder, String stem, ModelConfig config, Parameters parameters, DType dtype,
      Function<Parameter, float[]> values) throws IOException {
    Files.createDirectories(folder);
    config.write(folder.resolve(CONFIG));
    WeightFiles.save(parameters, folder, stem, dtype, values);
  }

  private static <M> M build(Function<ModelConfig, M> make, ModelConfig config) throws IOException {
    try {
      return make.apply(config);
    } catch (IllegalArgumentException e) {
      String message = e.getMessage();
      throw new IOException(message.startsWith(config.source()) ? message : config.source() + ": " + message, e);
    }
  }
}
