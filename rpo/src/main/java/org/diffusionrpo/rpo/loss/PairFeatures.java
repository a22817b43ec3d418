package org.diffusionrpo.rpo.loss;

import java.util.Arrays;

/**
 * Unit-length CLIP embeddings of a batch's winners and losers. A part that is not used may be empty.
 *
 * @param winnerImages [M][D] projected image embeddings of the preferred images
 * @param loserImages [N][D]
 * @param winnerPrompts [M][D] projected text embeddings of the undropped captions
 * @param loserPrompts [N][D]
 */
public record PairFeatures(
    double[][] winnerImages, double[][] loserImages, double[][] winnerPrompts, double[][] loserPrompts) {
  private static final double[][] EMPTY = {};

  /** No embeddings: for objectives and weights that read none. */
  public static final PairFeatures NONE = new PairFeatures(EMPTY, EMPTY, EMPTY, EMPTY);

  /** Float32 embeddings of unit length are off by about 1e-7; anything near this bound was never normalised. */
  private static final double UNIT_TOLERANCE = 1e-3;

  public PairFeatures {
    requireUnit("winner image", winnerImages);
    requireUnit("loser image", loserImages);
    requireUnit("winner prompt", winnerPrompts);
    requireUnit("loser prompt", loserPrompts);
  }

  /** Features of pairs that share their prompt. */
  public static PairFeatures ofPairs(double[][] winnerImages, double[][] loserImages, double[][] prompts) {
    return new PairFeatures(winnerImages, loserImages, prompts, prompts);
  }

  /** The pairs {@code [from, to)}; empty parts stay empty. */
  public PairFeatures slice(int from, int to) {
    return new PairFeatures(slice(winnerImages, from, to), slice(loserImages, from, to),
        slice(winnerPrompts, from, to), slice(loserPrompts, from, to));
  }

  private static double[][] slice(double[][] rows, int from, int to) {
    return rows.length == 0 ? rows : Arrays.copyOfRange(rows, from, to);
  }

  private static void requireUnit(String what, double[][] rows) {
    for (int i = 0; i < rows.length; i++) {
      double norm = Math.sqrt(dot(rows[i], rows[i]));
      if (!(Math.abs(norm - 1) < UNIT_TOLERANCE)) {
        throw new IllegalArgumentException(what + " embedding " + i + " has length " + norm + ", expected 1");
      }
    }
  }

  static double dot(double[] a, double[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(
          "embeddings of " + a.length + " and " + b.length + " dimensions do not compare");
    }
    double sum = 0;
    for (int k = 0; k < a.length; k++) {
      sum += a[k] * b[k];
    }
    return sum;
  }
}
