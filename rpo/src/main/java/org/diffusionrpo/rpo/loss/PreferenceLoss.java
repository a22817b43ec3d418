package org.diffusionrpo.rpo.loss;

import java.util.Map;

/**
 * A training objective as a pure function of per-sample errors.
 *
 * <p>Because the network enters only through those errors, training is two passes with any memory budget: one without
 * tape for the errors of the whole batch, then forward and backward of each micro-batch, where the noise-loss gradient
 * of an image is scaled with its entry of {@link Result#dWinner} or {@link Result#dLoser}.
 */
public interface PreferenceLoss {
  /**
   * Loss, gradient and diagnostics of one batch.
   *
   * @param errors errors of M winners and N losers
   * @param features embeddings of the same images, for objectives that weigh contrasts; otherwise unread
   */
  Result evaluate(PairErrors errors, PairFeatures features);

  /** True when {@link #evaluate} reads the reference network's errors. */
  boolean usesReference();

  /** True when {@link #evaluate} reads the losers' errors. */
  boolean usesLosers();

  /**
   * The outcome for one batch.
   *
   * @param dWinner [M] {@code dLoss/dPolicyWinner}
   * @param dLoser [N] {@code dLoss/dPolicyLoser}
   * @param metrics what explains the loss's value; a metric that has no meaning for the objective is absent
   */
  record Result(double loss, double[] dWinner, double[] dLoser, Map<LossMetric, Double> metrics) {}
}
