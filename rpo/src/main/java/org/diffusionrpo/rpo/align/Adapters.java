package org.diffusionrpo.rpo.align;

import java.io.IOException;
import java.nio.file.Files;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.lora.LoraAdapters;
import org.diffusionrpo.diffusion.lora.LoraFormat;
import org.diffusionrpo.diffusion.lora.LoraModules;
import org.diffusionrpo.diffusion.lora.LoraWriter;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.train.Reference;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * Trains low-rank adapters on the frozen UNet; switched off, it is the reference.
 *
 * @param adapters belong to the caller
 * @param source what the model was loaded from
 * @param seed of their start
 * @param dtype of the saved UNet
 */
record Adapters(Backend backend, UNet2DConditionModel unet, LoraAdapters adapters, ModelSource source, LoraFormat format,
    long seed, DType dtype) implements Trainee {
  @Override
  public Parameters start() {
    adapters.initialize(backend, seed);
    adapters.parameters().unfreeze();
    return adapters.parameters();
  }

  @Override
  public void stop() {
    adapters.parameters().freeze();
  }

  @Override
  public Reference reference() {
    return Reference.adaptersOff(unet, adapters);
  }

  /** The adapters, and the whole model with them merged. */
  @Override
  public void save(StableDiffusion model, RunFolder folder) throws IOException {
    Files.createDirectories(folder.lora().getParent());
    LoraWriter.write(folder.lora(), adapters.layers(), format, LoraModules.of(model));
    model.saveTrained(folder.model(), source, dtype, adapters::merged);
  }
}
