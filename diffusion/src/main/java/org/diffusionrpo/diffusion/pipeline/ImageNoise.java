package org.diffusionrpo.diffusion.pipeline;

import java.util.List;
import org.diffusionrpo.diffusion.schedule.NoiseSource;
import org.diffusionrpo.tensor.Philox;

/** The random numbers of a batch, each picture's from streams of its own. */
final class ImageNoise {
  private ImageNoise() {}

  /** Latents of N(0, sigma), {@code size} numbers for each picture. */
  static float[] latents(List<ImageRequest> requests, int size, double sigma) {
    float[] latents = new float[requests.size() * size];
    fill(latents, streams(requests, "latents"));
    for (int i = 0; i < latents.length; i++) {
      latents[i] *= (float) sigma;
    }
    return latents;
  }

  /** The noise that stochastic samplers add in their steps. */
  static NoiseSource steps(List<ImageRequest> requests) {
    Philox[] streams = streams(requests, "sampler");
    return noise -> fill(noise, streams);
  }

  private static Philox[] streams(List<ImageRequest> requests, String purpose) {
    return requests.stream().map(r -> Philox.stream(r.seed(), purpose, r.index())).toArray(Philox[]::new);
  }

  private static void fill(float[] out, Philox[] streams) {
    int size = out.length / streams.length;
    float[] one = new float[size];
    for (int n = 0; n < streams.length; n++) {
      streams[n].fillGaussian(one);
      System.arraycopy(one, 0, out, n * size, size);
    }
  }
}
