package org.diffusionrpo.diffusion.train;

import java.io.IOException;

/** Watches a run and may end it. Called on the training thread, between updates. */
public interface TrainListener {
  /** Does nothing and never cancels. */
  TrainListener SILENT = report -> {};

  void onStep(StepReport report) throws IOException;

  /** Asked after every update; true ends the run cleanly, with a checkpoint. */
  default boolean cancelled() {
    return false;
  }
}
