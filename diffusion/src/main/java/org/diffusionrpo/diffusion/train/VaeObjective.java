package org.diffusionrpo.diffusion.train;

import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.image.Crops;
import org.diffusionrpo.diffusion.image.Pixels;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * Trains an autoencoder: mean squared error of the pixels in [-1, 1] plus {@code klWeight} times the divergence of the
 * latents from N(0, I), both per pixel value. Kingma and Welling 2013, arXiv:1312.6114, equation 10.
 */
public final class VaeObjective implements TrainObjective {
  private final Backend backend;
  private final AutoencoderKL vae;
  private final List<RgbImage> images;
  private final BatchSampler sampler;
  private final double klWeight;
  private final long seed;

  public VaeObjective(Backend backend, AutoencoderKL vae, List<RgbImage> images, int batch, double klWeight,
      long seed) {
    this.backend = backend;
    this.vae = vae;
    this.images = images;
    this.sampler = new BatchSampler(seed, images.size(), batch);
    this.klWeight = klWeight;
    this.seed = seed;
  }

  @Override
  public Map<String, Double> accumulate(int step) {
    Philox random = Philox.stream(seed, "vae", step);
    int[] batch = sampler.batch(step);
    try (MemoryScope scope = backend.scope(); Tape tape = new Tape()) {
      List<RgbImage> chosen = java.util.Arrays.stream(batch).mapToObj(images::get)
          .map(image -> random.nextInt(2) == 0 ? image : Crops.flip(image)).toList();
      Tensor x = Pixels.toTensor(backend, chosen);
      Tensor moments = vae.encode(x, tape);
      Posterior posterior = new Posterior(moments.toArray(), vae.config().latentChannels(), random);
      Tensor z = backend.of(moments.shape().withLast(vae.config().latentChannels()), posterior.sample());
      Tensor decoded = vae.decode(z, tape);

      double[] errors = new double[batch.length];
      backend.squaredErrorPerSample(errors, decoded, x);
      double mse = java.util.Arrays.stream(errors).average().orElseThrow();
      double klScale = klWeight / x.size();
      double kl = posterior.kl() * klScale;

      float[] weight = new float[batch.length];
      java.util.Arrays.fill(weight, 1f / batch.length);
      Tensor dDecoded = backend.empty(decoded.shape());
      backend.squaredErrorBackward(dDecoded, decoded, x, weight);
      float[] dz = vae.decodeBackward(dDecoded, tape).toArray();
      vae.encodeBackward(backend.of(moments.shape(), posterior.backward(dz, klScale)), tape);
      return Map.of(TrainLoop.LOSS, mse + kl, "mse", mse, "kl", kl, "latent_std", posterior.meanStd(),
          "psnr", -10 * Math.log10(mse / 4));
    }
  }
}
