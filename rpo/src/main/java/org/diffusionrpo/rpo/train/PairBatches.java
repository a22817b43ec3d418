package org.diffusionrpo.rpo.train;

import org.diffusionrpo.diffusion.schedule.NoiseSchedule;
import org.diffusionrpo.diffusion.train.BatchSampler;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.rpo.loss.PairFeatures;
import org.diffusionrpo.tensor.Philox;

/** Draws the pairs of each update with their timesteps, noise and dropped captions: a function of (seed, update). */
public final class PairBatches {
  private final EncodedPairs pairs;
  private final AutoencoderKL vae;
  private final NoiseSchedule schedule;
  private final Options options;
  private final BatchSampler sampler;

  /** Who shares a timestep. Winner and loser of a pair always do. */
  public enum Timestep {
    /** All pairs of a contrast group. */
    GROUP,
    /** Each pair has its own. */
    PAIR
  }

  /**
   * What to draw.
   *
   * @param batch pairs per update
   * @param group pairs per contrast group
   * @param captionDropout share of pairs that see the empty prompt
   */
  public record Options(int batch, int group, Timestep timestep, double captionDropout, long seed) {
    public Options {
      if (batch < 1 || group < 1 || group > batch || !(captionDropout >= 0 && captionDropout <= 1)) {
        throw new IllegalArgumentException("batch " + batch + ", contrast group " + group + ", caption dropout "
            + captionDropout + ": expected 1 <= group <= batch and a dropout from 0 to 1");
      }
    }
  }

  public PairBatches(EncodedPairs pairs, AutoencoderKL vae, NoiseSchedule schedule, Options options) {
    this.pairs = pairs;
    this.vae = vae;
    this.schedule = schedule;
    this.options = options;
    this.sampler = new BatchSampler(options.seed, pairs.size(), options.batch);
  }

  /** The pairs of update {@code step} = 0, 1, ... */
  PairBatch batch(int step, boolean withLosers) {
    int[] items = sampler.batch(step);
    int n = items.length;
    int size = pairs.latentShape().size();
    int[] timesteps = new int[n];
    float[][] winners = new float[n][];
    float[][] losers = new float[n][];
    float[][] noise = new float[n][size];
    TimeIds[] winnerTimeIds = new TimeIds[n];
    TimeIds[] loserTimeIds = new TimeIds[n];
    TextEmbedding[] texts = new TextEmbedding[n];
    for (int i = 0; i < n; i++) {
      Philox random = Philox.stream(options.seed, "pair", (long) step * n + i);
      int drawn = random.nextInt(schedule.trainTimesteps());
      boolean leads = options.timestep == Timestep.PAIR || i % options.group == 0;
      timesteps[i] = leads ? drawn : timesteps[i - 1];
      boolean dropped = random.nextDouble() < options.captionDropout;
      random.fillGaussian(noise[i]);
      winners[i] = vae.latents(pairs.winners().get(items[i]), random);
      losers[i] = withLosers ? vae.latents(pairs.losers().get(items[i]), random) : null;
      winnerTimeIds[i] = pairs.winnerTimeIds().get(items[i]);
      loserTimeIds[i] = withLosers ? pairs.loserTimeIds().get(items[i]) : null;
      texts[i] = dropped ? pairs.emptyText() : pairs.texts().get(items[i]);
    }
    return new PairBatch(pairs.latentShape(), pairs.contextShape(), schedule, withLosers, timesteps, winners, losers,
        winnerTimeIds, loserTimeIds, noise, texts, features(items));
  }

  private PairFeatures features(int[] items) {
    if (pairs.prompts().isEmpty()) {
      return PairFeatures.NONE;
    }
    int n = items.length;
    double[][] winnerImages = new double[n][];
    double[][] loserImages = new double[n][];
    double[][] prompts = new double[n][];
    for (int i = 0; i < n; i++) {
      winnerImages[i] = pairs.winnerImages().get(items[i]);
      loserImages[i] = pairs.loserImages().get(items[i]);
      prompts[i] = pairs.prompts().get(items[i]);
    }
    return PairFeatures.ofPairs(winnerImages, loserImages, prompts);
  }
}
