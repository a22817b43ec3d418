package org.diffusionrpo.rpo.loss;

import java.util.Map;

/**
 * Diffusion-RPO: every winner of a contrast batch is compared with every loser, near ones more than far ones.
 * Relative preference optimisation for diffusion models, Gu et al. 2024, arXiv:2406.06382.
 * <pre>
 *   s_ij = -(beta / 2) * [(m(w_i) - r(w_i)) - (m(l_j) - r(l_j))],   i < M winners, j < N losers
 *   inside   L = 1/(M N) sum_ij  -log sigmoid(omega_ij s_ij)
 *   outside  L = 1/M     sum_ij  omega_ij (-log sigmoid(s_ij))
 *   dL/dm(w_i) = (beta / 2) sum_j G_ij,   dL/dm(l_j) = -(beta / 2) sum_i G_ij
 *   G_ij = omega_ij sigmoid(-omega_ij s_ij) / (M N)   or   omega_ij sigmoid(-s_ij) / M
 * </pre>
 * omega is a constant for the gradient. With one winner and one loser omega is 1 and this is Diffusion-DPO. Inside, the
 * logits shrink with N, so beta must be chosen again when the contrast batch changes.
 *
 * @param beta strength of the tie to the reference
 * @param weighting where omega stands
 * @param weights how omega is made from the embeddings of the batch
 */
public record DiffusionRpo(double beta, Weighting weighting, ContrastWeights weights) implements PreferenceLoss {
  /** Where a contrast weight multiplies. */
  public enum Weighting {
    /** The logit, inside the log-sigmoid, as in the published code of relative preference optimisation. */
    INSIDE,
    /** The term, outside the log-sigmoid. */
    OUTSIDE
  }

  public DiffusionRpo {
    DiffusionDpo.requireBeta(beta);
  }

  @Override
  public Result evaluate(PairErrors errors, PairFeatures features) {
    errors.requireReference("Diffusion-RPO");
    int m = errors.winners();
    int n = errors.losers();
    double[][] omega = weights.omega(features, m, n);
    boolean inside = weighting == Weighting.INSIDE;
    double norm = inside ? (double) m * n : m;
    double[] dWinner = new double[m];
    double[] dLoser = new double[n];
    LogitTally tally = new LogitTally(errors);
    double sum = 0;
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double s = -beta / 2 * (errors.winnerDelta(i) - errors.loserDelta(j));
        double logit = inside ? omega[i][j] * s : s;
        double term = (inside ? 1 : omega[i][j]) * -LogSigmoid.value(logit);
        sum += term;
        tally.add(i, j, logit, term / norm);
        double pull = beta / 2 * (omega[i][j] * LogSigmoid.derivative(logit)) / norm;
        dWinner[i] += pull;
        dLoser[j] -= pull;
      }
    }
    Map<LossMetric, Double> metrics = tally.metrics(dWinner);
    tally.addWeights(metrics, omega);
    return new Result(sum / norm, dWinner, dLoser, metrics);
  }

  @Override
  public boolean usesReference() {
    return true;
  }

  @Override
  public boolean usesLosers() {
    return true;
  }
}
