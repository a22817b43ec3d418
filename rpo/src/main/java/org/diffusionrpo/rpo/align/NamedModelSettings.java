package org.diffusionrpo.rpo.align;

import java.io.IOException;
import java.nio.file.Path;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.rpo.Bundled;
import picocli.CommandLine.Option;

/** Options of every command that takes one model, named with {@code --model}. */
public class NamedModelSettings extends ModelSettings {
  @Option(names = "--model", paramLabel = "PATH", description = "Model folder in the layout of diffusers, or a "
      + ".safetensors file with a whole model (default: the bundled model).")
  public Path model;

  /** What {@link #model} names, or the bundled model, which must be there then. */
  public Path modelPath() {
    return model == null ? Bundled.require(Bundled.model()) : model;
  }

  /** Opens the model with its parts and reads no weights. */
  public ModelSource open() throws IOException {
    return location(modelPath()).open();
  }
}
