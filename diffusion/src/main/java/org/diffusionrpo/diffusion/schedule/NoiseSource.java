package org.diffusionrpo.diffusion.schedule;

/** Where a stochastic sampler gets its noise from; the caller decides on generator, seed and stream. */
@FunctionalInterface
public interface NoiseSource {
  /** Fills the array with independent draws from N(0, 1). */
  void fill(float[] noise);
}
