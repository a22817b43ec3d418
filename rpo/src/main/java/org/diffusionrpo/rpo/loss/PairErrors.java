package org.diffusionrpo.rpo.loss;

import java.util.Arrays;

/**
 * Denoising errors of M winners and N losers under the trained network and under the frozen reference.
 *
 * <p>An error is the mean over channels and pixels of {@code (prediction - target)^2} at the image's timestep and
 * noise. In paired data M = N and the pair i is (winner i, loser i). A side that an objective does not read may be empty.
 *
 * @param policyWinner [M] errors of the trained network on the preferred images
 * @param policyLoser [N] errors of the trained network on the rejected images
 * @param referenceWinner [M] errors of the reference, or empty
 * @param referenceLoser [N] errors of the reference, or empty
 */
public record PairErrors(
    double[] policyWinner, double[] policyLoser, double[] referenceWinner, double[] referenceLoser) {
  private static final double[] NONE = {};

  public PairErrors {
    requireSameOrEmpty("winner", policyWinner, referenceWinner);
    requireSameOrEmpty("loser", policyLoser, referenceLoser);
  }

  /** Errors for objectives that learn from the preferred images alone. */
  public static PairErrors winnersOnly(double[] policyWinner) {
    return new PairErrors(policyWinner, NONE, NONE, NONE);
  }

  public int winners() {
    return policyWinner.length;
  }

  public int losers() {
    return policyLoser.length;
  }

  /** Change of winner i's error since the start of training; negative when the network drew closer to the image. */
  public double winnerDelta(int i) {
    return policyWinner[i] - referenceWinner[i];
  }

  /** Change of loser j's error since the start of training. */
  public double loserDelta(int j) {
    return policyLoser[j] - referenceLoser[j];
  }

  /** The pairs {@code [from, to)}; empty sides stay empty. */
  public PairErrors slice(int from, int to) {
    return new PairErrors(slice(policyWinner, from, to), slice(policyLoser, from, to),
        slice(referenceWinner, from, to), slice(referenceLoser, from, to));
  }

  void requireReference(String objective) {
    if (winners() == 0 || losers() == 0 || referenceWinner.length == 0 || referenceLoser.length == 0) {
      throw new IllegalArgumentException(objective + " needs errors of winners and losers under both networks, got "
          + winners() + " and " + losers() + " of the policy, " + referenceWinner.length + " and "
          + referenceLoser.length + " of the reference");
    }
  }

  void requirePairs(String user) {
    if (winners() != losers()) {
      throw new IllegalArgumentException(
          user + " needs as many losers as winners, got " + winners() + " winners and " + losers() + " losers");
    }
  }

  private static double[] slice(double[] values, int from, int to) {
    return values.length == 0 ? values : Arrays.copyOfRange(values, from, to);
  }

  private static void requireSameOrEmpty(String side, double[] policy, double[] reference) {
    if (reference.length != 0 && reference.length != policy.length) {
      throw new IllegalArgumentException(
          "got " + policy.length + " policy errors but " + reference.length + " reference errors of " + side + "s");
    }
  }
}
