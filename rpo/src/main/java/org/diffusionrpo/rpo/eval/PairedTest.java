package org.diffusionrpo.rpo.eval;

import org.apache.commons.math3.distribution.BinomialDistribution;
import org.diffusionrpo.tensor.Philox;

/** Tests whether method A differs from method B on the same prompts and seeds. Two-sided p-values. */
public final class PairedTest {
  /** Up to here all sign patterns are counted, beyond they are sampled. */
  private static final int EXACT = 16;

  private PairedTest() {}

  /** Share of prompts where A's value is larger; a tie counts one half. */
  public static double winRate(double[] a, double[] b) {
    requirePairs(a, b);
    double wins = 0;
    for (int i = 0; i < a.length; i++) {
      wins += a[i] > b[i] ? 1 : a[i] == b[i] ? 0.5 : 0;
    }
    return wins / a.length;
  }

  /** Exact sign test; ties are left out. Tells only which is larger how often, never by how much. */
  public static double signTest(double[] a, double[] b) {
    requirePairs(a, b);
    int wins = 0;
    int losses = 0;
    for (int i = 0; i < a.length; i++) {
      wins += a[i] > b[i] ? 1 : 0;
      losses += a[i] < b[i] ? 1 : 0;
    }
    if (wins + losses == 0) {
      return 1;
    }
    var fair = new BinomialDistribution(null, wins + losses, 0.5);
    return Math.min(1, 2 * fair.cumulativeProbability(Math.min(wins, losses)));
  }

  /**
   * Sign-flip permutation test of the mean difference: the share of sign patterns that give a mean at least as far from
   * zero. Exact for up to 16 pairs, otherwise {@code samples} random patterns and the observed one.
   */
  public static double permutationTest(double[] a, double[] b, int samples, long seed) {
    requirePairs(a, b);
    double[] differences = new double[a.length];
    double observed = 0;
    double size = 0;
    for (int i = 0; i < a.length; i++) {
      differences[i] = a[i] - b[i];
      observed += differences[i];
      size += Math.abs(differences[i]);
    }
    // Patterns that tie with the observed one count, whatever the rounding of their sums.
    double threshold = Math.abs(observed) - 1e-12 * size;
    boolean exact = a.length <= EXACT;
    int patterns = exact ? 1 << a.length : samples;
    Philox random = Philox.stream(seed, "permutation test", 0);
    int extreme = 0;
    for (int p = 0; p < patterns; p++) {
      double sum = 0;
      long bits = p;
      for (int i = 0; i < differences.length; i++) {
        if (!exact && i % Long.SIZE == 0) {
          bits = random.nextLong();
        }
        sum += (bits & 1) == 0 ? differences[i] : -differences[i];
        bits >>>= 1;
      }
      extreme += Math.abs(sum) >= threshold ? 1 : 0;
    }
    return exact ? (double) extreme / patterns : (extreme + 1.0) / (patterns + 1.0);
  }

  private static void requirePairs(double[] a, double[] b) {
    if (a.length != b.length || a.length == 0) {
      throw new IllegalArgumentException("a paired test needs equally many values, got " + a.length + " and "
          + b.length);
    }
  }
}
