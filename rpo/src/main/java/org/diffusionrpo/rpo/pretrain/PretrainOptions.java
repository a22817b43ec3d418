package org.diffusionrpo.rpo.pretrain;

import java.nio.file.Path;

/**
 * How a part of the bundled model is trained.
 *
 * @param data the styled images
 * @param model folder that holds the finished parts and receives this one
 * @param work folder for checkpoints and the log of this part
 */
public record PretrainOptions(Path data, Path model, Path work, int steps, int batch, double learningRate, int warmup,
    double weightDecay, double emaDecay, int checkpointEvery, long seed) {
  public PretrainOptions {
    if (steps < 1 || batch < 1 || !(learningRate > 0) || warmup < 0 || !(weightDecay >= 0) || checkpointEvery < 1
        || !(emaDecay >= 0 && emaDecay < 1)) {
      throw new IllegalArgumentException("steps " + steps + ", batch " + batch + ", learning rate " + learningRate
          + ", warm-up " + warmup + ", weight decay " + weightDecay + ", checkpoint every " + checkpointEvery
          + ", average " + emaDecay + ": expected numbers above 0 (warm-up and decay may be 0), an average below 1");
    }
  }
}
