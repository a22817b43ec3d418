package org.diffusionrpo.rpo.align;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.ModelLocation;
import org.diffusionrpo.tensor.Storage;
import picocli.CommandLine.Option;

/** Options of every command that takes a model: other parts, what a single file lacks, how weights are kept. */
public class ModelSettings {
  @Option(names = "--unet", paramLabel = "PATH", description = "UNet in place of the model's: a folder or a "
      + ".safetensors file with the names of diffusers or of the original code.")
  public Path unet;

  @Option(names = "--vae", paramLabel = "PATH", description = "VAE in place of the model's, likewise.")
  public Path vae;

  @Option(names = "--tokenizer", paramLabel = "DIR", description = "Folder with CLIP's vocab.json and merges.txt; a "
      + "model in one .safetensors file has none of its own.")
  public Path tokenizer;

  @Option(names = "--model-config", paramLabel = "DIR", description = "Settings of a model in one file: a folder with "
      + "unet/config.json and so on (default: those of SD 1.5 or SDXL).")
  public Path modelConfig;

  @Option(names = "--variant", paramLabel = "NAME", description = "Take weights with this name part, e.g. fp16, "
      + "where a folder has them.")
  public String variant;

  @Option(names = "--storage", paramLabel = "TYPE", description = "Keep the matrices of the networks that are not "
      + "trained in memory as f32, bf16 or f16, with --lora also of the UNet that the adapters are merged into. An fp16 file "
      + "loses nothing with f16 (default: f32).")
  public Storage storage = Storage.F32;

  /** How a model that is not trained is loaded. */
  public LoadOptions asStored() {
    return new LoadOptions(storage, storage, false);
  }

  /** What is given of these options, by name without dashes, for those who want to make a picture again. */
  public Map<String, String> given() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("unet", unet);
    all.put("vae", vae);
    all.put("tokenizer", tokenizer);
    all.put("model-config", modelConfig);
    all.put("variant", variant);
    all.put("storage", storage == Storage.F32 ? null : storage.name().toLowerCase(Locale.ROOT));
    Map<String, String> given = new LinkedHashMap<>();
    all.forEach((name, value) -> {
      if (value != null) {
        given.put(name, value.toString());
      }
    });
    return given;
  }

  /** Where the model and these parts lie. */
  public ModelLocation location(Path model) {
    return new ModelLocation(model, unet, vae, tokenizer, modelConfig, variant);
  }
}
