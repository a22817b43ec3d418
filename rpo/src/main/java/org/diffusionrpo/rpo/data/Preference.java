package org.diffusionrpo.rpo.data;

/** What a label says about two images. */
enum Preference {
  FIRST, SECOND, TIE, INVALID;

  private static final double HALF = 0.5;

  /** @param label of the first image: 1 where it is preferred, 0 where the second one is, one half for a tie */
  static Preference of(double label) {
    if (!(label >= 0 && label <= 1)) {
      return INVALID;
    }
    return label == HALF ? TIE : label > HALF ? FIRST : SECOND;
  }

  /** Counts an entry that this leaves without a winner; false when there is one. */
  boolean leavesOut(String id, LoadReport report) {
    if (this == TIE) {
      report.addTie();
    } else if (this == INVALID) {
      report.addMissing(id + ": label_0 is null or not from 0 to 1");
    }
    return this == TIE || this == INVALID;
  }
}
