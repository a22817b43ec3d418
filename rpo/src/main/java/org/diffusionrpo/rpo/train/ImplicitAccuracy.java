package org.diffusionrpo.rpo.train;

import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.loss.DiffusionDpo;
import org.diffusionrpo.rpo.loss.LossMetric;
import org.diffusionrpo.rpo.loss.PairErrors;
import org.diffusionrpo.rpo.loss.PairFeatures;
import org.diffusionrpo.tensor.Backend;

/**
 * How often a network, measured against its reference, prefers the winner of pairs that it was not trained on. Every
 * network meets the same timesteps and noise. 0.5 for the reference itself.
 */
public final class ImplicitAccuracy {
  private static final int MICRO_BATCH = 16;

  private final Backend backend;
  private final PairBatch batch;
  private final double[][] reference;

  /** @param batches every pair once in its first batch */
  public ImplicitAccuracy(Backend backend, PairBatches batches, UNet2DConditionModel reference) {
    this.backend = backend;
    this.batch = batches.batch(0, true);
    this.reference = batch.errors(backend, reference, MICRO_BATCH);
  }

  /** Share of pairs whose winner gained more on the reference than its loser; ties count one half. */
  public double of(UNet2DConditionModel network) {
    double[][] errors = batch.errors(backend, network, MICRO_BATCH);
    return new DiffusionDpo(1)
        .evaluate(new PairErrors(errors[0], errors[1], reference[0], reference[1]), PairFeatures.NONE)
        .metrics().get(LossMetric.IMPLICIT_ACCURACY);
  }
}
