package org.diffusionrpo.rpo.compare;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A learning rate and, for methods that have one, a beta. */
record Candidate(double lr, double beta) {
  /** Below this a number is written with an exponent. */
  private static final double SMALL = 1e-3;

  /** What the search tries for a method; SFT has no beta. */
  static List<Candidate> of(Method method, CompareSettings settings) {
    List<Candidate> candidates = new ArrayList<>();
    for (double lr : settings.searchLr) {
      if (method == Method.SFT) {
        candidates.add(new Candidate(lr, 1));
      } else {
        settings.searchBeta(method).forEach(beta -> candidates.add(new Candidate(lr, beta)));
      }
    }
    return candidates;
  }

  /** For example {@code lr 1e-4, beta 2000}. */
  String describe(Method method) {
    return "lr " + number(lr) + (method == Method.SFT ? "" : ", beta " + number(beta));
  }

  static String number(double value) {
    String text = Double.toString(value);
    return Math.abs(value) < SMALL ? text.replace(".0E", "E").toLowerCase(Locale.ROOT)
        : new BigDecimal(text).stripTrailingZeros().toPlainString();
  }
}
