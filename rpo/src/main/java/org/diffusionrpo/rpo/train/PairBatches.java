package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.diffusionrpo.diffusion.schedule.NoiseSchedule;
import org.diffusionrpo.diffusion.schedule.PredictionType;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.diffusion.train.BatchOrder;
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
  private final PredictionType prediction;
  private final Options options;
  private final BatchOrder order;

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
   * @param flip mirror half of the pairs, others in each epoch; winner and loser alike
   * @param crop of both pictures of a pair alike
   */
  public record Options(int batch, int group, Timestep timestep, double captionDropout, long seed, boolean flip,
      View.Crop crop) {
    /** Pictures as they are. */
    public Options(int batch, int group, Timestep timestep, double captionDropout, long seed) {
      this(batch, group, timestep, captionDropout, seed, false, View.Crop.CENTER);
    }

    public Options {
      if (batch < 1 || group < 1 || group > batch || !(captionDropout >= 0 && captionDropout <= 1)) {
        throw new IllegalArgumentException("batch " + batch + ", contrast group " + group + ", caption dropout "
            + captionDropout + ": expected 1 <= group <= batch and a dropout from 0 to 1");
      }
    }
  }

  public PairBatches(EncodedPairs pairs, AutoencoderKL vae, SchedulerConfig scheduler, Options options) {
    this.pairs = pairs;
    this.vae = vae;
    this.schedule = NoiseSchedule.of(scheduler);
    this.prediction = scheduler.predictionType();
    this.options = options;
    this.order = pairs.order(options.seed, options.batch);
  }

  /** The pairs of update {@code step} = 0, 1, ... */
  PairBatch batch(int step, boolean withLosers) {
    List<EncodedPair> items = items(step);
    int n = items.size();
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
      EncodedPair pair = items.get(i);
      winners[i] = vae.latents(pair.winner().moments(), random);
      losers[i] = withLosers ? vae.latents(pair.loser().moments(), random) : null;
      winnerTimeIds[i] = pair.winner().timeIds();
      loserTimeIds[i] = withLosers ? pair.loser().timeIds() : null;
      texts[i] = dropped ? pairs.emptyText() : pair.text();
    }
    return new PairBatch(pairs.latentShape(), pairs.contextShape(), schedule, prediction, withLosers, timesteps,
        winners, losers, winnerTimeIds, loserTimeIds, noise, texts, features(items));
  }

  private List<EncodedPair> items(int step) {
    try {
      int[] items = order.batch(step);
      List<EncodedPair> encoded = pairs.get(items, views(step, items));
      int[] next = order.batch(step + 1);
      pairs.announce(next, views(step + 1, next));
      return encoded;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private View[] views(int step, int[] items) {
    View[] views = new View[items.length];
    for (int i = 0; i < items.length; i++) {
      views[i] = View.of(options.flip, options.crop, options.seed, order.epoch(step, i), items[i], pairs.size());
    }
    return views;
  }

  private static PairFeatures features(List<EncodedPair> items) {
    if (items.get(0).prompt() == null) {
      return PairFeatures.NONE;
    }
    return PairFeatures.ofPairs(items.stream().map(pair -> pair.winner().embedding()).toArray(double[][]::new),
        items.stream().map(pair -> pair.loser().embedding()).toArray(double[][]::new),
        items.stream().map(EncodedPair::prompt).toArray(double[][]::new));
  }
}
