package org.diffusionrpo.rpo.loss;

/**
 * Diffusion-DPO. Wallace et al. 2023, arXiv:2311.12908, equation 14.
 * <pre>
 *   s_i = -(beta / 2) * [(m(w_i) - r(w_i)) - (m(l_i) - r(l_i))]
 *   L   = mean_i( -log sigmoid(s_i) )
 *   dL/dm(w_i) = (beta / 2) * sigmoid(-s_i) / B = -dL/dm(l_i)
 * </pre>
 * m and r are the errors of the trained network and of the reference on the B pairs (w_i, l_i).
 *
 * @param beta strength of the tie to the reference; 2000 to 5000 for Stable Diffusion
 */
public record DiffusionDpo(double beta) implements PreferenceLoss {
  public DiffusionDpo {
    requireBeta(beta);
  }

  @Override
  public Result evaluate(PairErrors errors, PairFeatures features) {
    errors.requireReference("Diffusion-DPO");
    errors.requirePairs("Diffusion-DPO");
    int pairs = errors.winners();
    double[] dWinner = new double[pairs];
    double[] dLoser = new double[pairs];
    LogitTally tally = new LogitTally(errors);
    double sum = 0;
    for (int i = 0; i < pairs; i++) {
      double logit = -beta / 2 * (errors.winnerDelta(i) - errors.loserDelta(i));
      double term = -LogSigmoid.value(logit);
      sum += term;
      tally.add(i, i, logit, term / pairs);
      dWinner[i] = beta / 2 * LogSigmoid.derivative(logit) / pairs;
      dLoser[i] = -dWinner[i];
    }
    return new Result(sum / pairs, dWinner, dLoser, tally.metrics(dWinner));
  }

  @Override
  public boolean usesReference() {
    return true;
  }

  @Override
  public boolean usesLosers() {
    return true;
  }

  static void requireBeta(double beta) {
    if (!(beta > 0) || Double.isInfinite(beta)) {
      throw new IllegalArgumentException("beta must be a positive number, got " + beta);
    }
  }
}
