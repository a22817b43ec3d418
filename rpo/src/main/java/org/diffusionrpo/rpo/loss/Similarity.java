package org.diffusionrpo.rpo.loss;

/** Which embeddings say how near a winner and a loser are. */
public enum Similarity {
  IMAGE, TEXT,
  /** The mean of the two cosines. */
  BOTH;

  /** Cosines [M][N] of winners and losers. */
  double[][] cosines(PairFeatures features, int winners, int losers) {
    return switch (this) {
      case IMAGE -> cosines("image", features.winnerImages(), features.loserImages(), winners, losers);
      case TEXT -> cosines("prompt", features.winnerPrompts(), features.loserPrompts(), winners, losers);
      case BOTH -> mean(IMAGE.cosines(features, winners, losers), TEXT.cosines(features, winners, losers));
    };
  }

  private static double[][] cosines(String what, double[][] w, double[][] l, int winners, int losers) {
    if (w.length != winners || l.length != losers) {
      throw new IllegalArgumentException("got " + w.length + " and " + l.length + " " + what + " embeddings for "
          + winners + " winners and " + losers + " losers");
    }
    double[][] cosines = new double[winners][losers];
    for (int i = 0; i < winners; i++) {
      for (int j = 0; j < losers; j++) {
        cosines[i][j] = PairFeatures.dot(w[i], l[j]);
      }
    }
    return cosines;
  }

  private static double[][] mean(double[][] a, double[][] b) {
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        a[i][j] = (a[i][j] + b[i][j]) / 2;
      }
    }
    return a;
  }
}
