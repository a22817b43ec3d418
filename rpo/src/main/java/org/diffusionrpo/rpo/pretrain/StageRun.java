package org.diffusionrpo.rpo.pretrain;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.diffusionrpo.diffusion.train.CheckpointStore;
import org.diffusionrpo.diffusion.train.TrainListener;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.diffusion.train.TrainObjective;
import org.diffusionrpo.diffusion.train.TrainState;
import org.diffusionrpo.rpo.align.RunManifest;
import org.diffusionrpo.rpo.train.StepLog;
import org.diffusionrpo.tensor.io.AtomicFiles;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.optim.AdamW;
import org.diffusionrpo.tensor.optim.Ema;
import org.diffusionrpo.tensor.optim.LearningRate;

/** What the three parts have in common: AdamW with a cosine schedule, a weight average, checkpoints, log, resume. */
final class StageRun {
  private static final double MAX_GRAD_NORM = 1;
  private static final int MAX_SKIPS = 20;
  private static final int KEPT = 2;

  private StageRun() {}

  /**
   * Trains {@code parameters} and leaves the averaged weights in them. A run in the work folder is continued.
   *
   * @param particulars what else the weights of this part depend on, by name
   * @return true when all updates are done; false when the listener cancelled
   * @throws IllegalArgumentException if the work folder holds a run with other settings
   */
  static boolean run(Parameters parameters, TrainObjective objective, PretrainOptions options,
      Map<String, ?> particulars, TrainListener listener) throws IOException {
    requireSame(options, particulars, options.work().resolve("settings.json"));
    parameters.unfreeze();
    try (Ema ema = new Ema(parameters.all(), options.emaDecay());
        TrainState state = new TrainState(parameters,
            new AdamW(parameters.all(), new AdamW.Options(0.9, 0.99, 1e-8, options.weightDecay())), ema);
        StepLog log = new StepLog(options.work().resolve("metrics.jsonl"), listener)) {
      TrainLoop loop = new TrainLoop(
          new TrainLoop.Settings(options.steps(),
              new LearningRate(LearningRate.Schedule.COSINE, options.learningRate(), options.warmup(), options.steps()),
              MAX_GRAD_NORM, options.checkpointEvery(), MAX_SKIPS),
          state, new CheckpointStore(options.work().resolve("checkpoints"), KEPT), log);
      int first = loop.resume();
      log.continueAfter(first);
      int done = loop.run(objective, first);
      ema.swap();
      return done == options.steps();
    } finally {
      parameters.freeze();
    }
  }

  /** Settings change what a schedule means, so a run keeps those that it began with. */
  private static void requireSame(PretrainOptions options, Map<String, ?> particulars, Path file) throws IOException {
    ObjectNode settings = new ObjectMapper().createObjectNode()
        .put("steps", options.steps()).put("batch", options.batch()).put("learning_rate", options.learningRate())
        .put("warmup", options.warmup()).put("weight_decay", options.weightDecay())
        .put("ema_decay", options.emaDecay()).put("seed", options.seed())
        .put("data", RunManifest.hash(options.data()));
    particulars.forEach((name, value) -> settings.put(name, String.valueOf(value)));
    String text = settings.toPrettyString() + "\n";
    if (!Files.exists(file)) {
      AtomicFiles.write(file, text);
    } else if (!Files.readString(file).equals(text)) {
      throw new IllegalArgumentException(options.work() + ": holds a run with other settings, those of " + file
          + "; repeat them or choose another folder");
    }
  }
}
