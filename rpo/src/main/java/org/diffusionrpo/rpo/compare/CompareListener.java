package org.diffusionrpo.rpo.compare;

import org.diffusionrpo.rpo.align.AlignListener;

/** Watches a comparison; its alignment runs report as usual. */
public interface CompareListener extends AlignListener {
  /** Does nothing and never cancels. */
  CompareListener SILENT = report -> {};

  /**
   * A unit of work begins.
   *
   * @param secondsLeft estimate for this unit and all after it; NaN before the first was measured
   */
  default void onUnit(String name, int finished, int total, double secondsLeft) {}
}
