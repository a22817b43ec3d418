package org.diffusionrpo.diffusion.train;

import java.util.ArrayList;
import java.util.List;
import org.diffusionrpo.diffusion.TinyModels;
import org.diffusionrpo.diffusion.schedule.NoiseSchedule;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.Shape;

/** Training of a tiny UNet on a few random latents. */
final class TinyNoise {
  static final int ITEMS = 7;
  private static final Shape LATENTS = Shape.of(4, 4, 4);
  private static final Shape CONTEXT = Shape.of(3, TinyModels.CONTEXT);

  private TinyNoise() {}

  /** A UNet ready to train. */
  static UNet2DConditionModel unet(Backend backend) {
    UNet2DConditionModel unet = TinyModels.sd15Unet();
    unet.parameters().initialize(backend, 11);
    unet.parameters().unfreeze();
    return unet;
  }

  static NoiseObjective objective(Backend backend, UNet2DConditionModel unet, NoiseObjective.Options options) {
    return objective(backend, unet, NoiseSchedule.of(SchedulerConfig.stableDiffusion()), options);
  }

  static NoiseObjective objective(Backend backend, UNet2DConditionModel unet, NoiseSchedule schedule,
      NoiseObjective.Options options) {
    List<float[]> moments = new ArrayList<>();
    List<TextEmbedding> texts = new ArrayList<>();
    for (int i = 0; i < ITEMS; i++) {
      moments.add(gaussian("moments", i, 2 * LATENTS.size()));
      texts.add(new TextEmbedding(gaussian("context", i, CONTEXT.size())));
    }
    LatentSet data = new LatentSet(LATENTS, CONTEXT, TimeIds.of(8, 8), moments, texts,
        new TextEmbedding(gaussian("empty", 0, CONTEXT.size())));
    try (AutoencoderKL vae = TinyModels.vae()) { // without weights: only its scaling factor is used
      return new NoiseObjective(backend, unet, vae, data, schedule, options);
    }
  }

  private static float[] gaussian(String purpose, int index, int length) {
    float[] values = new float[length];
    Philox.stream(12, purpose, index).fillGaussian(values);
    return values;
  }
}
