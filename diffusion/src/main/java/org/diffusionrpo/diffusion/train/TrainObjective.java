package org.diffusionrpo.diffusion.train;

import java.io.IOException;
import java.util.Map;

/** What is minimised: a function of the update's number and the seed alone, never of the updates before. */
public interface TrainObjective {
  /**
   * Adds the gradient of update {@code step} (0, 1, ...), all micro-batches together, to the parameters' gradients.
   *
   * @return measurements for the log; {@link TrainLoop#LOSS} must be among them
   */
  Map<String, Double> accumulate(int step) throws IOException;
}
