package org.diffusionrpo.diffusion.train;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.optim.Gradients;
import org.diffusionrpo.tensor.optim.LearningRate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The loop around every kind of training here: update, log, save, resume. */
public final class TrainLoop {
  /** Key of the loss among an objective's measurements. */
  public static final String LOSS = "loss";

  private static final Logger LOG = LoggerFactory.getLogger(TrainLoop.class);

  private final Settings settings;
  private final TrainState state;
  private final CheckpointStore checkpoints;
  private final TrainListener listener;
  private final Guard guard;

  /**
   * How long and how carefully to train.
   *
   * @param steps updates of the whole run, those before a resume included
   * @param maxGradNorm gradients are scaled down to this L2 norm
   * @param checkpointEvery updates between checkpoints
   * @param maxSkips updates that the guard may skip in a row before the run stops
   */
  public record Settings(int steps, LearningRate learningRate, double maxGradNorm, int checkpointEvery, int maxSkips) {
    public Settings {
      if (steps < 1 || !(maxGradNorm > 0) || checkpointEvery < 1 || maxSkips < 1) {
        throw new IllegalArgumentException("steps " + steps + ", gradient norm " + maxGradNorm + ", checkpoint every "
            + checkpointEvery + ", skips " + maxSkips + ": all must be above 0");
      }
    }
  }

  public TrainLoop(Settings settings, TrainState state, CheckpointStore checkpoints, TrainListener listener) {
    this.settings = settings;
    this.state = state;
    this.checkpoints = checkpoints;
    this.listener = listener;
    this.guard = new Guard(settings.maxSkips());
  }

  /** Loads the newest sound checkpoint, if there is one, and returns the number of updates already made. */
  public int resume() throws IOException {
    Optional<CheckpointStore.Checkpoint> latest = checkpoints.latest();
    if (latest.isEmpty()) {
      return 0;
    }
    guard.resume(state.load(latest.get().state()));
    return latest.get().step();
  }

  /**
   * Makes the updates from {@code first} on and saves a checkpoint at the end, also when cancelled.
   *
   * @return updates made in all; less than the settings' steps when the listener cancelled
   * @throws DivergedException when the guard gave up, the last of all updates had no finite loss or gradient, or weights
   *     to be saved are not finite; the newest checkpoint is then from before the weights broke
   */
  public int run(TrainObjective objective, int first) throws IOException {
    int step = first;
    int saved = first;
    while (step < settings.steps() && !(step > first && listener.cancelled())) {
      StepReport report = update(objective, step);
      step++;
      listener.onStep(report);
      if (guard.diverged() || step == settings.steps() && !guard.finite()) {
        throw diverged(step - guard.skips(), first, report.skipped());
      }
      boolean sound = report.skipped() == null;
      if (sound && step % settings.checkpointEvery() == 0 && step < settings.steps()) {
        requireFiniteWeights(step);
        checkpoints.save(step, state, guard.notes());
        saved = step;
      }
    }
    if (step > saved) {
      requireFiniteWeights(step);
      checkpoints.save(step, state, guard.notes());
    }
    return step;
  }

  /**
   * Skipped updates left the weights as update {@code made} had made them: a checkpoint of just these would fail again,
   * so it must not be the newest. One that this run resumed from is never removed.
   */
  private DivergedException diverged(int made, int first, String reason) throws IOException {
    if (made > first) {
      checkpoints.remove(made);
    }
    String updates = guard.skips() == 1 ? "an update" : guard.skips() + " updates in a row";
    return diverged(updates + " that could not be made", reason);
  }

  /** The loss tells of broken weights one update too late for those that are saved now. */
  private void requireFiniteWeights(int step) throws IOException {
    for (Parameter parameter : state.parameters().all()) {
      for (float value : parameter.value().toArray()) {
        if (!Float.isFinite(value)) {
          throw diverged("update " + step, "it left " + parameter.name() + " with " + value);
        }
      }
    }
  }

  private DivergedException diverged(String what, String reason) throws IOException {
    String last = checkpoints.latest().map(checkpoint -> "the last checkpoint is of update " + checkpoint.step())
        .orElse("there is no checkpoint yet");
    return new DivergedException("stopped after " + what + " (" + reason + "); " + last
        + ". A lower learning rate or a smaller beta usually helps");
  }

  private StepReport update(TrainObjective objective, int step) throws IOException {
    long start = System.nanoTime();
    state.parameters().zeroGrad();
    Map<String, Double> metrics = objective.accumulate(step);
    double norm = Gradients.norm(state.parameters().all());
    double rate = settings.learningRate().at(step);
    String objection = guard.objection(metrics.get(LOSS), norm);
    if (objection == null) {
      state.step(norm, settings.maxGradNorm(), rate);
    } else {
      LOG.warn("Skipping update {}: {}", step + 1, objection);
    }
    double seconds = (System.nanoTime() - start) * 1e-9;
    return new StepReport(step + 1, settings.steps(), seconds, rate, norm, objection, metrics);
  }
}
