package org.diffusionrpo.rpo.align;

import org.diffusionrpo.diffusion.train.TrainListener;

/** Watches an alignment run; all methods are called on the thread that runs it. */
public interface AlignListener extends TrainListener {
  /** Does nothing and never cancels. */
  AlignListener SILENT = report -> {};

  /** A new part of the run begins, such as "Encoding 5596 pairs". */
  default void onPhase(String description) {}

  /** Progress within the present part. */
  default void onProgress(long done, long total) {}
}
