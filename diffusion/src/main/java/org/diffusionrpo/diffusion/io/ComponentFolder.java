package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
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
public record ComponentFolder(Path path, String stem, String className, String variant) implements ComponentSource {
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
  @Override
  public ModelConfig config() throws IOException {
    ModelConfig config = ModelConfig.read(path.resolve(CONFIG));
    String found = nameIn(config);
    if (!found.equals(className)) {
      throw new IOException(config.source() + ": is the config of a " + found + ", expected " + className);
    }
    return config;
  }

  /** True if there is a {@code config.json} of this network. */
  boolean hasConfig() throws IOException {
    Path file = path.resolve(CONFIG);
    return Files.isRegularFile(file) && nameIn(ModelConfig.read(file)).equals(className);
  }

  @Override
  public TensorSource openWeights() throws IOException {
    if (!Files.isDirectory(path)) {
      throw new IOException(path + ": there is no such folder");
    }
    return TensorSource.open(path, stem, variant);
  }

  private String nameIn(ModelConfig config) {
    return config.json().has("_class_name") ? config.text("_class_name", "")
        : config.json().path("architectures").path(0).asText(className);
  }

  @Override
  public Naming naming(TensorSource weights) {
    return Naming.DIFFUSERS;
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

  /** @param source where the parameters came from; it has their numbers and types */
  static void copy(Path folder, String stem, ModelConfig config, Parameters parameters, ComponentSource source)
      throws IOException {
    Files.createDirectories(folder);
    config.write(folder.resolve(CONFIG));
    try (TensorSource weights = source.openWeights()) {
      WeightFiles.copy(parameters, weights, source.naming(weights), folder, stem);
    }
  }
}
