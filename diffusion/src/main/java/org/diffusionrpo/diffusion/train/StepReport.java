package org.diffusionrpo.diffusion.train;

import java.util.Map;

/**
 * What happened in one update.
 *
 * @param step updates made so far, this one included
 * @param total updates of the whole run
 * @param seconds wall time of this update
 * @param skipped why the guard skipped the update; null when it was made
 * @param metrics what the objective measured, {@code loss} among them
 */
public record StepReport(int step, int total, double seconds, double learningRate, double gradNorm, String skipped,
    Map<String, Double> metrics) {
  public double loss() {
    return metrics.get(TrainLoop.LOSS);
  }
}
