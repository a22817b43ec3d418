package org.diffusionrpo.diffusion.pipeline;

/** Watches a long piece of work, such as drawing pictures, and may end it. Called on the thread that works. */
public interface ProgressListener {
  /** Does nothing and never cancels. */
  ProgressListener SILENT = (done, total) -> {};

  /**
   * Called after every step.
   *
   * @param done steps made; while drawing, one for each picture of the batch
   * @param total steps of the whole work
   */
  void onProgress(long done, long total);

  /** Asked after every step; true ends the work. Of drawn pictures only finished ones are returned. */
  default boolean cancelled() {
    return false;
  }
}
