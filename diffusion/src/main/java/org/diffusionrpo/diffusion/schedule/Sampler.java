package org.diffusionrpo.diffusion.schedule;

/**
 * Turns noise into a sample with the help of a network that it never sees. One run is
 * <pre>
 *   x = N(0, 1) * initNoiseSigma()
 *   for call = 0 .. calls() - 1:
 *     scaleInput(in, x, call)
 *     output = network(in, timestep(call))      after guidance
 *     step(x, output, call, noise)
 * </pre>
 * Latents are flat host arrays; every number is treated alike, so any number of samples may lie in one array. Call 0
 * forgets the run before. An instance serves one run at a time.
 */
public interface Sampler {
  /** Network calls of a run; not the number of steps asked for with every sampler. */
  int calls();

  /** The timestep to give to the network, 0 .. T - 1; with the Euler samplers it may be a fraction. */
  double timestep(int call);

  /** Standard deviation of the initial latents. */
  double initNoiseSigma();

  /** Writes the network's input for x; {@code in} may be x. */
  void scaleInput(float[] in, float[] x, int call);

  /**
   * Moves x to the next noise level.
   *
   * @param x latents, overwritten
   * @param output the network's answer, as long as x; not changed
   * @param call 0, 1, 2 ... in order
   * @param noise asked once by a step that adds noise; a deterministic sampler never asks
   */
  void step(float[] x, float[] output, int call, NoiseSource noise);
}
