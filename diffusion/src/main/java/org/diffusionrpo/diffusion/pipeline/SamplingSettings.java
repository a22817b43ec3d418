package org.diffusionrpo.diffusion.pipeline;

import org.diffusionrpo.diffusion.schedule.SamplerKind;

/**
 * How pictures are drawn.
 *
 * @param guidance scale of classifier-free guidance; up to 1 the network runs on the prompt alone
 * @param width in pixels; 0 for the size that the model was trained for
 * @param height as width
 * @param origin what SDXL shall take the pictures for; {@link PictureOrigin#SELF} for any other model
 */
public record SamplingSettings(SamplerKind sampler, int steps, double guidance, int width, int height,
    PictureOrigin origin) {
  public SamplingSettings {
    if (steps < 1) {
      throw new IllegalArgumentException("steps " + steps + ": expected at least 1");
    }
    if (!(guidance >= 0 && guidance < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("guidance " + guidance + ": expected a number of at least 0");
    }
    if (width < 0 || height < 0) {
      throw new IllegalArgumentException("a picture of " + width + " x " + height + " pixels: expected at least 1");
    }
  }

  /** Pictures of the model's own size. */
  public SamplingSettings(SamplerKind sampler, int steps, double guidance) {
    this(sampler, steps, guidance, 0, 0);
  }

  /** Pictures of which SDXL is told the truth. */
  public SamplingSettings(SamplerKind sampler, int steps, double guidance, int width, int height) {
    this(sampler, steps, guidance, width, height, PictureOrigin.SELF);
  }

  public SamplingSettings withSampler(SamplerKind other) {
    return new SamplingSettings(other, steps, guidance, width, height, origin);
  }

  boolean guided() {
    return guidance > 1;
  }
}
