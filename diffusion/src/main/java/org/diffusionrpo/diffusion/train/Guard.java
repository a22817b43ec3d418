package org.diffusionrpo.diffusion.train;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Decides whether an update may be made. An update whose loss or gradient is not finite, or whose gradient norm is far
 * above what the run has seen lately, is skipped; too many in a row stop the run. Its memory goes into checkpoints, so
 * a resumed run decides alike.
 */
final class Guard {
  /** A spike is this many times the recent median; ordinary noise between batches stays below 5. */
  private static final double SPIKE = 50;

  /** Norms that the median looks back on. */
  private static final int WINDOW = 64;

  /** No spike is called before this many norms are known. */
  private static final int WARM_UP = 16;

  private static final String NORMS_KEY = "guard_norms";
  private static final String SKIPS_KEY = "guard_skips";

  private final int maxSkips;
  private final Deque<Double> norms = new ArrayDeque<>();
  private int skips;
  private boolean finite = true;

  Guard(int maxSkips) {
    this.maxSkips = maxSkips;
  }

  /** Why this update must be skipped, or null when it is sound. */
  String objection(double loss, double gradNorm) {
    finite = Double.isFinite(loss) && Double.isFinite(gradNorm);
    String reason = reason(loss, gradNorm);
    if (reason == null) {
      skips = 0;
      norms.addLast(gradNorm);
      if (norms.size() > WINDOW) {
        norms.removeFirst();
      }
    } else {
      skips++;
    }
    return reason;
  }

  /** True when so many updates in a row were skipped that the run has diverged. */
  boolean diverged() {
    return skips >= maxSkips;
  }

  /** Updates skipped in a row up to the latest. */
  int skips() {
    return skips;
  }

  /** False when the latest loss or gradient was not finite, which a spike passes over but ruined weights never do. */
  boolean finite() {
    return finite;
  }

  /** All that later decisions depend on, as text that gives back the same numbers. */
  Map<String, String> notes() {
    return Map.of(NORMS_KEY, norms.stream().map(String::valueOf).collect(Collectors.joining(" ")),
        SKIPS_KEY, Integer.toString(skips));
  }

  /** Continues from {@link #notes}; starts anew where a checkpoint has none. */
  void resume(Map<String, String> notes) {
    norms.clear();
    for (String norm : notes.getOrDefault(NORMS_KEY, "").split(" ")) {
      if (!norm.isEmpty()) {
        norms.addLast(Double.valueOf(norm));
      }
    }
    skips = Integer.parseInt(notes.getOrDefault(SKIPS_KEY, "0"));
  }

  private String reason(double loss, double gradNorm) {
    if (!Double.isFinite(loss)) {
      return "the loss is " + loss;
    }
    if (!Double.isFinite(gradNorm)) {
      return "the gradient norm is " + gradNorm;
    }
    if (norms.size() >= WARM_UP && gradNorm > SPIKE * median()) {
      return String.format(Locale.ROOT, "the gradient norm %.3g is over %.0f times the recent median %.3g", gradNorm,
          SPIKE, median());
    }
    return null;
  }

  private double median() {
    double[] sorted = norms.stream().mapToDouble(Double::doubleValue).toArray();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
