package org.diffusionrpo.rpo.align;

import org.diffusionrpo.diffusion.pipeline.ProgressListener;
import org.diffusionrpo.diffusion.train.TrainListener;

/**
 * Watches an alignment run and may end it, between updates or between the steps of encoding and drawing; all methods
 * are called on the thread that runs it.
 */
public interface AlignListener extends TrainListener, ProgressListener {
  /** Does nothing and never cancels. */
  AlignListener SILENT = report -> {};

  /** A new part of the run begins, such as "Encoding 5596 pairs". */
  default void onPhase(String description) {}

  /** Progress within the present part. */
  @Override
  default void onProgress(long done, long total) {}

  @Override
  default boolean cancelled() {
    return false;
  }
}
