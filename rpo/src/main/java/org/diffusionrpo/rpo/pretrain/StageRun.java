package org.diffusionrpo.rpo.pretrain;

import java.io.IOException;
import org.diffusionrpo.diffusion.train.CheckpointStore;
import org.diffusionrpo.diffusion.train.TrainListener;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.diffusion.train.TrainObjective;
import org.diffusionrpo.diffusion.train.TrainState;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.optim.AdamW;
import org.diffusionrpo.tensor.optim.Ema;
import org.diffusionrpo.tensor.optim.LearningRate;

/** What the three parts have in common: AdamW with a cosine schedule, a weight average, checkpoints, resume. */
final class StageRun {
  private static final double MAX_GRAD_NORM = 1;
  private static final int MAX_SKIPS = 20;
  private static final int KEPT = 2;

  private StageRun() {}

  /**
   * Trains {@code parameters} and leaves the averaged weights in them.
   *
   * @return true when all updates are done; false when the listener cancelled
   */
  static boolean run(Parameters parameters, TrainObjective objective, PretrainOptions options, TrainListener listener)
      throws IOException {
    parameters.unfreeze();
    AdamW optimizer = new AdamW(parameters.all(), new AdamW.Options(0.9, 0.99, 1e-8, options.weightDecay()));
    Ema ema = new Ema(parameters.all(), options.emaDecay());
    try (TrainState state = new TrainState(parameters, optimizer, ema)) {
      TrainLoop loop = new TrainLoop(
          new TrainLoop.Settings(options.steps(),
              new LearningRate(LearningRate.Schedule.COSINE, options.learningRate(), options.warmup(), options.steps()),
              MAX_GRAD_NORM, options.checkpointEvery(), MAX_SKIPS),
          state, new CheckpointStore(options.work().resolve("checkpoints"), KEPT), listener);
      int done = loop.run(objective, loop.resume());
      ema.swap();
      return done == options.steps();
    } finally {
      parameters.freeze();
    }
  }
}
