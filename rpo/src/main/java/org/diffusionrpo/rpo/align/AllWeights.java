package org.diffusionrpo.rpo.align;

import java.io.IOException;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.train.Reference;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameters;

/**
 * Trains every weight of the UNet, beside a frozen copy of its start.
 *
 * @param base belongs to the caller
 * @param dtype of the saved model
 */
record AllWeights(UNet2DConditionModel unet, UNet2DConditionModel base, DType dtype) implements Trainee {
  @Override
  public Parameters start() {
    unet.parameters().copyFrom(base.parameters(), Storage.F32);
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
    model.save(folder.model(), dtype);
  }
}
