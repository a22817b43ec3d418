package org.diffusionrpo.diffusion.vae;

import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.nn.Conv2d;
import org.diffusionrpo.tensor.nn.Layer;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.nn.Tape;

/**
 * The variational autoencoder between pixels and latents. Kingma and Welling 2013, arXiv:1312.6114; Rombach et al.
 * 2022, arXiv:2112.10752; names as in diffusers.
 * <pre>
 *   pixels [N, H, W, 3] in [-1, 1]   moments [N, H / f, W / f, 2 Z] = (mean, log variance)   z [N, H / f, W / f, Z]
 * </pre>
 * The latents that the UNet sees are {@code z * scaling_factor}.
 */
public final class AutoencoderKL implements AutoCloseable {
  /** All norms of the VAE use this, whatever the UNet's norm_eps. */
  static final float EPS = 1e-6f;

  private static final float MIN_LOG_VARIANCE = -30f;
  private static final float MAX_LOG_VARIANCE = 20f;

  private final VaeConfig config;
  private final Parameters parameters = new Parameters();
  private final Layer encoder;
  private final Layer quantConv;
  private final Layer postQuantConv;
  private final Layer decoder;

  public AutoencoderKL(VaeConfig config) {
    this.config = config;
    Parameters.Path root = parameters.root();
    int latents = config.latentChannels();
    this.encoder = Encoder.build(root.at("encoder"), config);
    this.quantConv = Conv2d.pointwise(root.at("quant_conv"), 2 * latents, 2 * latents);
    this.postQuantConv = Conv2d.pointwise(root.at("post_quant_conv"), latents, latents);
    this.decoder = Decoder.build(root.at("decoder"), config);
  }

  public VaeConfig config() {
    return config;
  }

  public Parameters parameters() {
    return parameters;
  }

  /** Pixels to moments. */
  public Tensor encode(Tensor pixels, Tape tape) {
    try (MemoryScope scope = pixels.backend().scope()) {
      return scope.keep(quantConv.forward(encoder.forward(pixels, tape), tape));
    }
  }

  /** The gradient of the pixels for that of the moments. */
  public Tensor encodeBackward(Tensor dMoments, Tape tape) {
    try (MemoryScope scope = dMoments.backend().scope()) {
      return scope.keep(encoder.backward(quantConv.backward(dMoments, tape), tape));
    }
  }

  /** Unscaled latents z to pixels, not clipped. */
  public Tensor decode(Tensor z, Tape tape) {
    try (MemoryScope scope = z.backend().scope()) {
      return scope.keep(decoder.forward(postQuantConv.forward(z, tape), tape));
    }
  }

  /** The gradient of z for that of the decoded pixels. */
  public Tensor decodeBackward(Tensor dPixels, Tape tape) {
    try (MemoryScope scope = dPixels.backend().scope()) {
      return scope.keep(postQuantConv.backward(decoder.backward(dPixels, tape), tape));
    }
  }

  /** The mean of the moments: the deterministic encoding, unscaled. */
  public Tensor mode(Tensor moments) {
    Backend backend = moments.backend();
    try (MemoryScope scope = backend.scope()) {
      Tensor mean = backend.empty(moments.shape().withLast(config.latentChannels()));
      backend.split(mean, backend.empty(mean.shape()), moments, 3);
      return scope.keep(mean);
    }
  }

  /** Latents as the UNet sees them: {@code (mean + std * normal) * scaling_factor}, or of the mean without random. */
  public float[] latents(float[] moments, Philox random) {
    int z = config.latentChannels();
    float[] latents = new float[moments.length / 2];
    for (int i = 0; i < latents.length; i++) {
      int at = i / z * 2 * z + i % z;
      float value = moments[at];
      if (random != null) {
        float logVariance = Math.max(MIN_LOG_VARIANCE, Math.min(MAX_LOG_VARIANCE, moments[at + z]));
        value += (float) StrictMath.exp(0.5 * logVariance) * (float) random.nextGaussian();
      }
      latents[i] = value * config.scalingFactor();
    }
    return latents;
  }

  @Override
  public void close() {
    parameters.close();
  }
}
