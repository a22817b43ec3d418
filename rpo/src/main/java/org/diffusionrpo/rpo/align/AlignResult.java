package org.diffusionrpo.rpo.align;

import java.nio.file.Path;
import org.diffusionrpo.rpo.eval.StyleAlignment;

/**
 * What a run left behind.
 *
 * @param steps updates made; fewer than asked for when it was cancelled
 * @param out the run folder
 * @param model the aligned model; null when the run was cancelled
 * @param before scores of the base model; null when nothing was measured
 * @param after scores of the aligned model; null when nothing was measured
 */
public record AlignResult(int steps, Path out, Path model, StyleAlignment.Score before, StyleAlignment.Score after) {
  public boolean finished() {
    return model != null;
  }

  /** The pictures before and after, if any were asked for. */
  public Path samples() {
    return out.resolve(RunFolder.SAMPLES);
  }

  /** The adapters, if the run trained some. */
  public Path lora() {
    return out.resolve(RunFolder.LORA);
  }

  /** The log of the updates. */
  public Path metrics() {
    return out.resolve(RunFolder.METRICS);
  }

  public Path report() {
    return out.resolve(RunFolder.REPORT);
  }
}
