package org.diffusionrpo.diffusion.schedule;

/** Checks what every sampler expects of its caller, once. */
abstract class CheckedSampler implements Sampler {
  private int nextCall;

  @Override public final void step(float[] x, float[] output, int call, NoiseSource noise) {
    if (call != 0 && call != nextCall || call >= calls()) {
      throw new IllegalStateException("sampler step " + call + " of 0 .. " + (calls() - 1) + " where " + nextCall
          + " is next");
    }
    if (output.length != x.length) {
      throw new IllegalArgumentException(
          "sampler step: latents of " + x.length + " numbers, but the network gave " + output.length);
    }
    advance(x, output, call, noise);
    nextCall = call + 1;
  }

  /** {@link Sampler#step} with checked arguments. */
  abstract void advance(float[] x, float[] output, int call, NoiseSource noise);
}
