package org.diffusionrpo.diffusion.pipeline;

/** Watches the drawing of pictures and may end it. Called on the thread that draws. */
public interface GenerationListener {
  /** Does nothing and never cancels. */
  GenerationListener SILENT = (done, total) -> {};

  /**
   * Called after every step.
   *
   * @param done steps made, one for each picture of the batch
   * @param total steps of all pictures together
   */
  void onProgress(long done, long total);

  /** Asked after every step; true ends the work, and only finished pictures are returned. */
  default boolean cancelled() {
    return false;
  }
}
