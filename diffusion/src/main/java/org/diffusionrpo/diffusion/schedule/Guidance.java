package org.diffusionrpo.diffusion.schedule;

/** Classifier-free guidance. Ho and Salimans 2022, arXiv:2207.12598, equation 6. */
public final class Guidance {
  private Guidance() {}

  /**
   * {@code out = uncond + scale * (cond - uncond)}; scale 1 is the conditional output.
   *
   * @param out [N, ...]
   * @param outputs [2, N, ...]: the network's outputs without the prompt, then those with it
   */
  public static void combine(float[] out, float[] outputs, double scale) {
    if (outputs.length != 2 * out.length) {
      throw new IllegalArgumentException(
          "guidance: expected 2 x " + out.length + " outputs of the network, got " + outputs.length);
    }
    for (int i = 0; i < out.length; i++) {
      double uncond = outputs[i];
      out[i] = (float) (uncond + scale * (outputs[out.length + i] - uncond));
    }
  }

  /**
   * Pulls the spread of each guided sample back to that of its conditional output. Lin et al. 2024, arXiv:2305.08891,
   * equations 15 and 16: {@code out = phi * out * std(cond) / std(out) + (1 - phi) * out}, std per sample.
   *
   * @param out [N, ...], the result of {@link #combine}, overwritten
   * @param outputs [2, N, ...], as there
   * @param samples N
   * @param phi from 0 (no change) to 1
   */
  public static void rescale(float[] out, float[] outputs, int samples, double phi) {
    if (outputs.length != 2 * out.length || samples < 1 || out.length % samples != 0) {
      throw new IllegalArgumentException("guidance: " + samples + " samples do not fit " + out.length
          + " guided numbers and " + outputs.length + " outputs of the network");
    }
    int columns = out.length / samples;
    for (int n = 0; n < samples; n++) {
      int from = n * columns;
      double spread = spread(out, from, columns);
      if (spread == 0) {
        continue; // a network that answers with zeros, as a new one does, has no spread to pull back
      }
      double factor = phi * spread(outputs, out.length + from, columns) / spread + 1 - phi;
      for (int i = from; i < from + columns; i++) {
        out[i] = (float) (factor * out[i]);
      }
    }
  }

  /** Standard deviation but for the divisor, which drops out of the quotient. */
  private static double spread(float[] values, int from, int count) {
    double sum = 0;
    for (int i = from; i < from + count; i++) {
      sum += values[i];
    }
    double mean = sum / count;
    double squares = 0;
    for (int i = from; i < from + count; i++) {
      squares += (values[i] - mean) * (values[i] - mean);
    }
    return Math.sqrt(squares);
  }
}
