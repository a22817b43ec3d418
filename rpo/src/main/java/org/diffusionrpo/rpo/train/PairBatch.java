package org.diffusionrpo.rpo.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.diffusion.schedule.NoiseSchedule;
import org.diffusionrpo.diffusion.train.Denoising;
import org.diffusionrpo.diffusion.unet.Conditions;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.diffusion.unet.TimeIds;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.loss.PairFeatures;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;

/**
 * The pairs of one update, on the host. Winner and loser of a pair share timestep, noise and caption.
 *
 * @param winners latents x_0 of each pair; losers likewise, null entries when the objective does not use them
 * @param winnerTimeIds size and crop of each winner; losers likewise
 */
record PairBatch(Shape latentShape, Shape contextShape, NoiseSchedule schedule, boolean withLosers, int[] timesteps,
    float[][] winners, float[][] losers, TimeIds[] winnerTimeIds, TimeIds[] loserTimeIds, float[][] noise,
    TextEmbedding[] texts, PairFeatures features) {
  int pairs() {
    return timesteps.length;
  }

  /** The pairs [from, to) as network input: first all winners, then all losers. */
  Denoising denoising(Backend backend, int from, int to) {
    int pairs = to - from;
    int samples = withLosers ? 2 * pairs : pairs;
    int size = latentShape.size();
    float[] x0 = new float[samples * size];
    float[] epsilon = new float[samples * size];
    List<TextEmbedding> captions = new ArrayList<>();
    List<TimeIds> timeIds = new ArrayList<>();
    int[] t = new int[samples];
    for (int s = 0; s < samples; s++) {
      int pair = from + s % pairs;
      System.arraycopy(s < pairs ? winners[pair] : losers[pair], 0, x0, s * size, size);
      System.arraycopy(noise[pair], 0, epsilon, s * size, size);
      captions.add(texts[pair]);
      timeIds.add((s < pairs ? winnerTimeIds : loserTimeIds)[pair]);
      t[s] = timesteps[pair];
    }
    float[] noisy = new float[x0.length];
    schedule.addNoise(noisy, x0, epsilon, t);
    float[] times = new float[samples];
    for (int s = 0; s < samples; s++) {
      times[s] = t[s];
    }
    Shape images = Shape.of(samples, latentShape.dim(0), latentShape.dim(1), latentShape.dim(2));
    return new Denoising(backend.of(images, noisy), times, backend.of(images, epsilon),
        Conditions.of(backend, contextShape, captions, timeIds));
  }

  /** Errors of the winners and of the losers under one network, without a tape. */
  double[][] errors(Backend backend, UNet2DConditionModel network, int microBatch) {
    double[] winnerErrors = new double[pairs()];
    double[] loserErrors = new double[withLosers ? pairs() : 0];
    for (int from = 0; from < pairs(); from += microBatch) {
      int to = Math.min(pairs(), from + microBatch);
      try (MemoryScope scope = backend.scope()) {
        double[][] sides = sides(denoising(backend, from, to).errors(network));
        System.arraycopy(sides[0], 0, winnerErrors, from, to - from);
        System.arraycopy(sides[1], 0, loserErrors, withLosers ? from : 0, sides[1].length);
      }
    }
    return new double[][] {winnerErrors, loserErrors};
  }

  /** Errors in the order of {@link #denoising} as those of the winners and of the losers. */
  double[][] sides(double[] errors) {
    int pairs = withLosers ? errors.length / 2 : errors.length;
    return new double[][] {Arrays.copyOf(errors, pairs), Arrays.copyOfRange(errors, pairs, errors.length)};
  }
}
