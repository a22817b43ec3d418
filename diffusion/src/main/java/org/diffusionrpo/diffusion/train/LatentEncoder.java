package org.diffusionrpo.diffusion.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.diffusion.image.Pixels;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Tape;

/** Runs the frozen encoder of a VAE over pictures, in batches. It borrows the network and does not close it. */
public final class LatentEncoder {
  /** Pixels at once: the encoder's first level holds hundreds of floats for each. */
  private static final int PIXELS = 32 * 64 * 64;

  private final Backend backend;
  private final AutoencoderKL vae;

  public LatentEncoder(Backend backend, AutoencoderKL vae) {
    this.backend = backend;
    this.vae = vae;
  }

  /** Moments of each picture; all pictures have one size. */
  public List<float[]> moments(List<RgbImage> images) {
    List<float[]> moments = new ArrayList<>();
    int atOnce = images.isEmpty() ? 1 : Math.max(1, PIXELS / (images.get(0).width() * images.get(0).height()));
    for (int from = 0; from < images.size(); from += atOnce) {
      List<RgbImage> batch = images.subList(from, Math.min(images.size(), from + atOnce));
      try (MemoryScope scope = backend.scope()) {
        split(vae.encode(Pixels.toTensor(backend, batch), Tape.NONE), moments);
      }
    }
    return moments;
  }

  /** [h, w, Z] of a picture. */
  public Shape latentShape(int height, int width) {
    int factor = vae.config().factor();
    return Shape.of(height / factor, width / factor, vae.config().latentChannels());
  }

  private static void split(Tensor batch, List<float[]> out) {
    float[] values = batch.toArray();
    int size = values.length / batch.dim(0);
    for (int n = 0; n < batch.dim(0); n++) {
      out.add(Arrays.copyOfRange(values, n * size, (n + 1) * size));
    }
  }
}
