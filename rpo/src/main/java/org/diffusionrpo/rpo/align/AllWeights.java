package org.diffusionrpo.rpo.align;

import java.io.IOException;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.train.Reference;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * Trains every weight of the UNet from its exact values, beside a frozen copy of its start, which may be rounded.
 *
 * @param base belongs to the caller
 * @param source what the model was loaded from
 * @param dtype of the saved UNet
 */
record AllWeights(Backend backend, UNet2DConditionModel unet, UNet2DConditionModel base, ModelSource source, DType dtype)
    implements Trainee {
  @Override
  public Parameters start() throws IOException {
    source.unet().fill(unet.parameters(), backend, Storage.F32);
    unet.parameters().unfreeze();
    return unet.parameters();
  }

  @Override
  public void stop() {
    unet.parameters().freeze();
  }

  @Override
  public Reference reference() {
    return Reference.copy(base);
  }

  @Override
  public void save(StableDiffusion model, RunFolder folder) throws IOException {
    model.saveTrained(folder.model(), source, dtype, parameter -> parameter.value().toArray());
  }
}
