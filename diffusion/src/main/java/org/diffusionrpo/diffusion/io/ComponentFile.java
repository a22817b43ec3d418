package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.diffusionrpo.tensor.io.TensorSource;

/**
 * One network in a safetensors file: alone, in the naming of diffusers or of the original code, or among the others of
 * a whole checkpoint. The file has no settings, so they come from elsewhere.
 */
final class ComponentFile implements ComponentSource {
  private final Path path;
  private final ComponentKind kind;
  private final Settings settings;

  /** Where the network's {@code config.json} is read from. */
  @FunctionalInterface
  interface Settings {
    ModelConfig read() throws IOException;
  }

  ComponentFile(Path path, ComponentKind kind, Settings settings) {
    this.path = path;
    this.kind = kind;
    this.settings = settings;
  }

  /** A network that takes the place of another one; its settings are those beside it, else those of the other. */
  static ComponentFile replacing(Path path, ComponentKind kind, ComponentSource replaced) {
    ComponentFolder beside = new ComponentFolder(path.toAbsolutePath().getParent(), "", kind.className(), null);
    return new ComponentFile(path, kind, () -> beside.hasConfig() ? beside.config() : replaced.config());
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public String className() {
    return kind.className();
  }

  @Override
  public ModelConfig config() throws IOException {
    return settings.read();
  }

  @Override
  public TensorSource openWeights() throws IOException {
    if (!Files.isRegularFile(path)) {
      throw new IOException(path + ": there is no such file");
    }
    SingleFile.requireSafetensors(path);
    return TensorSource.open(path);
  }

  @Override
  public Naming naming(TensorSource weights) throws IOException {
    if (!kind.isIn(weights.names())) {
      throw new IOException(path + ": holds no " + kind.className() + "; it seems to be "
          + ModelFamily.describe(weights));
    }
    return kind.naming(weights.names(), config());
  }
}
