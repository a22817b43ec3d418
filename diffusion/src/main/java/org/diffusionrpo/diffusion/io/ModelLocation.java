package org.diffusionrpo.diffusion.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a model and its parts lie. All but the model may be null.
 *
 * @param model a folder in the layout of diffusers, or a safetensors file with a whole model
 * @param unet a UNet in place of the model's: a folder, or a safetensors file in any naming
 * @param vae a VAE in place of the model's, likewise
 * @param tokenizer a folder with {@code vocab.json} and {@code merges.txt}; a model in one file has none of its own
 * @param settings for a model in one file: a folder with the settings of a model folder, in place of the published ones
 * @param variant a part of the weights' file names in folders, e.g. {@code fp16}, taken where there is such a file
 */
public record ModelLocation(Path model, Path unet, Path vae, Path tokenizer, Path settings, String variant) {
  public static ModelLocation of(Path model) {
    return new ModelLocation(model, null, null, null, null, null);
  }

  /** Opens what is there and reads no weights. */
  public ModelSource open() throws IOException {
    boolean single = Files.isRegularFile(model) && !model.endsWith(ModelFolder.INDEX);
    if (settings != null && !single) {
      throw new IllegalArgumentException("--model-config " + settings + ": is for models in one file, and " + model
          + " has settings of its own");
    }
    ModelSource source = single ? SingleFile.open(model, settings, tokenizer)
        : ModelFolder.open(model).withVariant(variant);
    if (unet == null && vae == null && tokenizer == null) {
      return source;
    }
    return new ReplacedParts(source, replacement(unet, ComponentKind.UNET, source.unet()),
        replacement(vae, ComponentKind.VAE, source.vae()), tokenizer);
  }

  private ComponentSource replacement(Path path, ComponentKind kind, ComponentSource replaced) throws IOException {
    return path == null ? replaced : ReplacedParts.replacement(path, kind, replaced, variant);
  }
}
