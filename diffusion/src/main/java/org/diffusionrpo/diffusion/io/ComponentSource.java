package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSource;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * Where one network comes from: a {@link ComponentFolder}, or a {@link ComponentFile}, which may hold other networks,
 * too. Every fault is an {@link IOException} of one line that names the file.
 */
public interface ComponentSource {
  Path path();

  /** What diffusers and transformers call the network. */
  String className();

  /** The settings that make the network. */
  ModelConfig config() throws IOException;

  /** Opens the weights without reading them. */
  TensorSource openWeights() throws IOException;

  /** How the weights are named. */
  Naming naming(TensorSource weights) throws IOException;

  /** Type and shape of the network's tensors, by the names of the file. */
  default List<TensorInfo> tensors() throws IOException {
    try (TensorSource weights = openWeights()) {
      return naming(weights).tensors(weights);
    }
  }

  /**
   * Compares the names and shapes of the file with those of the network; reads no weights.
   *
   * @param declare makes the network's parameters without values
   * @return what is missing, unknown or of another shape, in one line; empty if nothing is
   */
  default String problems(Function<ModelConfig, Parameters> declare) throws IOException {
    Parameters parameters = build(declare);
    try (TensorSource weights = openWeights()) {
      return WeightProblems.of(parameters, weights, naming(weights)).toString();
    }
  }

  /**
   * Builds the network and loads its weights.
   *
   * @param storage for the matrices; only {@link Storage#F32} can be trained
   */
  default <M extends AutoCloseable> Component<M> load(Function<ModelConfig, M> make, Function<M, Parameters> parameters,
      Backend backend, Storage storage) throws IOException {
    M network = build(make);
    try {
      fill(parameters.apply(network), backend, storage);
      return new Component<>(network, config());
    } catch (IOException | RuntimeException | Error e) {
      parameters.apply(network).close();
      throw e;
    }
  }

  /** Gives all parameters of the network the values of the file. */
  default void fill(Parameters parameters, Backend backend, Storage storage) throws IOException {
    try (TensorSource weights = openWeights()) {
      WeightFiles.load(parameters, weights, naming(weights), path() + ": " + className(), backend, storage);
    }
  }

  /** The network by its settings alone: its parameters have no values. */
  default <M> Component<M> declare(Function<ModelConfig, M> make) throws IOException {
    return new Component<>(build(make), config());
  }

  private <M> M build(Function<ModelConfig, M> make) throws IOException {
    ModelConfig config = config();
    try {
      return make.apply(config);
    } catch (IllegalArgumentException e) {
      String message = e.getMessage();
      throw new IOException(message.startsWith(config.source()) ? message : config.source() + ": " + message, e);
    }
  }
}
