package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.lora.LoraMerge;
import org.diffusionrpo.diffusion.lora.LoraModules;
import org.diffusionrpo.diffusion.lora.LoraReader;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The value of {@code --lora}: a file or folder and how strongly it acts. */
record LoraArgument(Path file, double scale) {
  static final String LABEL = "FILE[:SCALE]";

  /** The part after the last colon is a scale if it is a number: file names may hold colons. */
  static final class Converter implements ITypeConverter<LoraArgument> {
    @Override
    public LoraArgument convert(String text) {
      int colon = text.lastIndexOf(':');
      if (colon < 1) {
        return new LoraArgument(Path.of(text), 1);
      }
      double scale;
      try {
        scale = Double.parseDouble(text.substring(colon + 1));
      } catch (NumberFormatException e) {
        return new LoraArgument(Path.of(text), 1);
      }
      if (!Double.isFinite(scale)) {
        throw new TypeConversionException("'" + text + "': expected a finite scale");
      }
      return new LoraArgument(Path.of(text.substring(0, colon)), scale);
    }
  }

  /** Adds all of them to the model's weights. */
  static void merge(List<LoraArgument> loras, StableDiffusion model) throws IOException {
    LoraModules modules = LoraModules.of(model);
    for (LoraArgument lora : loras) {
      LoraMerge.add(modules, LoraReader.read(lora.file, modules), lora.scale);
    }
  }

  /** For example {@code sketch.safetensors:0.8}. */
  @Override
  public String toString() {
    return file.getFileName() + ":" + scale;
  }
}
