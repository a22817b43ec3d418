package org.diffusionrpo.diffusion.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.diffusionrpo.diffusion.schedule.NoiseSchedule;
import org.diffusionrpo.diffusion.unet.Conditions;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.Shape;

/**
 * Ordinary training of the UNet: the mean error at uniformly drawn timesteps, weighted by
 * {@code min(snr, gamma) / snr} if gamma is finite. Ho et al. 2020, arXiv:2006.11239, equation 14; Hang et al. 2023,
 * arXiv:2303.09556, equation 7 for a network that predicts the noise.
 */
public final class NoiseObjective implements TrainObjective {
  private final Backend backend;
  private final UNet2DConditionModel unet;
  private final AutoencoderKL vae;
  private final LatentSet data;
  private final NoiseSchedule schedule;
  private final BatchSampler sampler;
  private final Options options;

  /**
   * @param captionDropout share of samples that see the empty prompt, for classifier-free guidance
   * @param snrGamma infinite for no weighting
   */
  public record Options(int batch, int microBatch, double captionDropout, double snrGamma, long seed) {
    public Options {
      if (batch < 1 || microBatch < 1 || !(captionDropout >= 0 && captionDropout <= 1) || !(snrGamma > 0)) {
        throw new IllegalArgumentException("batch " + batch + ", micro-batch " + microBatch + ", caption dropout "
            + captionDropout + ", SNR gamma " + snrGamma + ": expected sizes and gamma above 0, dropout from 0 to 1");
      }
    }
  }

  public NoiseObjective(Backend backend, UNet2DConditionModel unet, AutoencoderKL vae, LatentSet data,
      NoiseSchedule schedule, Options options) {
    this.backend = backend;
    this.unet = unet;
    this.vae = vae;
    this.data = data;
    this.schedule = schedule;
    this.sampler = new BatchSampler(options.seed, data.size(), options.batch);
    this.options = options;
  }

  @Override
  public Map<String, Double> accumulate(int step) {
    int[] batch = sampler.batch(step);
    double sum = 0;
    for (int from = 0; from < batch.length; from += options.microBatch) {
      int to = Math.min(batch.length, from + options.microBatch);
      sum += accumulate(Arrays.copyOfRange(batch, from, to), (long) step * batch.length + from);
    }
    return Map.of(TrainLoop.LOSS, sum);
  }

  /**
   * Returns this micro-batch's part of the loss.
   *
   * @param position number of the first sample in the run, which names its random stream
   */
  private double accumulate(int[] items, long position) {
    int n = items.length;
    int size = data.latentShape().size();
    float[] x0 = new float[n * size];
    float[] noise = new float[n * size];
    List<TextEmbedding> texts = new ArrayList<>();
    int[] timesteps = new int[n];
    for (int i = 0; i < n; i++) {
      Philox random = Philox.stream(options.seed, "noise", position + i);
      timesteps[i] = random.nextInt(schedule.trainTimesteps());
      boolean dropped = random.nextDouble() < options.captionDropout;
      float[] sampleNoise = new float[size];
      random.fillGaussian(sampleNoise);
      System.arraycopy(sampleNoise, 0, noise, i * size, size);
      System.arraycopy(vae.latents(data.moments(items[i]), random), 0, x0, i * size, size);
      texts.add(dropped ? data.emptyText() : data.text(items[i]));
    }
    float[] noisy = new float[x0.length];
    schedule.addNoise(noisy, x0, noise, timesteps);
    float[] weights = new float[n];
    for (int i = 0; i < n; i++) {
      double snr = schedule.snr(timesteps[i]); // 0 at the end of a schedule with zero terminal SNR
      weights[i] = (float) ((snr <= options.snrGamma ? 1 : options.snrGamma / snr) / options.batch);
    }
    try (MemoryScope scope = backend.scope()) {
      Shape latents = data.latentShape();
      Shape images = Shape.of(n, latents.dim(0), latents.dim(1), latents.dim(2));
      float[] times = new float[n];
      for (int i = 0; i < n; i++) {
        times[i] = timesteps[i];
      }
      double[] errors = new Denoising(backend.of(images, noisy), times, backend.of(images, noise),
          Conditions.of(backend, data.contextShape(), texts, Collections.nCopies(n, data.timeIds())))
          .accumulate(unet, same -> weights);
      return IntStream.range(0, n).mapToDouble(i -> weights[i] * errors[i]).sum();
    }
  }
}
