package org.diffusionrpo.rpo.align;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.schedule.PredictionType;
import org.diffusionrpo.diffusion.train.CheckpointStore;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.diffusion.train.TrainState;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.rpo.train.PairBatches;
import org.diffusionrpo.rpo.train.PreferenceObjective;
import org.diffusionrpo.rpo.train.StepLog;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.optim.Adafactor;
import org.diffusionrpo.tensor.optim.AdamW;
import org.diffusionrpo.tensor.optim.Ema;
import org.diffusionrpo.tensor.optim.Optimizer;

/** Aligns one model with encoded pairs, as often as wanted: each training starts from the reference again. */
public final class Aligner {
  private static final int KEPT_CHECKPOINTS = 2;
  private static final int MAX_SKIPS = 20;

  private final Backend backend;
  private final StableDiffusion model;
  private final Trainee trainee;
  private final EncodedPairs pairs;

  /**
   * Trains all weights of the UNet.
   *
   * @param model its UNet is trained, its other parts stay as they are
   * @param source what the model was loaded from; every training starts from its numbers
   * @param reference the frozen start of every training
   */
  public Aligner(Backend backend, StableDiffusion model, ModelSource source, UNet2DConditionModel reference,
      EncodedPairs pairs) {
    this(backend, model, new AllWeights(backend, model.unet().value(), reference, source, DType.F16), pairs);
  }

  /** @param trainee what is trained of the model's UNet */
  Aligner(Backend backend, StableDiffusion model, Trainee trainee, EncodedPairs pairs) {
    requireNoiseOrVelocity(model);
    this.backend = backend;
    this.model = model;
    this.trainee = trainee;
    this.pairs = pairs;
  }

  /**
   * Makes the updates that {@code checkpoints} does not hold yet and leaves the aligned weights in the model or its adapters.
   *
   * @param settings complete settings; those of model, data and report are not read
   * @param metrics the log of the updates, metrics.jsonl
   * @return updates made in all; fewer than the settings' steps when the listener cancelled
   */
  public int train(AlignSettings settings, Path checkpoints, Path metrics, AlignListener listener) throws IOException {
    Parameters trained = trainee.start();
    try (Ema ema = settings.ema == null ? null : new Ema(trained.all(), settings.ema);
        TrainState state = new TrainState(trained, optimizer(settings, trained), ema);
        StepLog log = new StepLog(metrics, listener)) {
      TrainLoop loop = new TrainLoop(new TrainLoop.Settings(settings.steps, settings.learningRate(),
          settings.maxGradNorm, settings.checkpointEvery, MAX_SKIPS), state,
          new CheckpointStore(checkpoints, KEPT_CHECKPOINTS), log);
      int first = loop.resume();
      log.continueAfter(first);
      listener.onPhase(first == 0 ? "Aligning" : "Aligning, continued after update " + first);
      int done = loop.run(objective(settings), first);
      if (ema != null && done == settings.steps) {
        ema.swap();
      }
      return done;
    } catch (UncheckedIOException e) { // pairs that an update reads
      throw e.getCause();
    } finally {
      trainee.stop();
    }
  }

  static void requireNoiseOrVelocity(StableDiffusion model) {
    if (model.scheduler().value().predictionType() == PredictionType.SAMPLE) {
      throw new IllegalArgumentException("the model predicts the clean sample; preference training needs a model that "
          + "predicts the noise (epsilon) or the velocity (v_prediction)");
    }
  }

  PreferenceObjective objective(AlignSettings settings) {
    PairBatches batches = new PairBatches(pairs, model.vae().value(), model.scheduler().value(),
        new PairBatches.Options(settings.batch, settings.contrast, settings.timestep, settings.captionDropout,
            settings.seed, settings.flip, settings.crop));
    return new PreferenceObjective(backend, model.unet().value(), trainee.reference(), settings.loss(), batches,
        settings.microBatch);
  }

  static Optimizer optimizer(AlignSettings settings, Parameters parameters) {
    return switch (settings.optimizer) {
      case ADAMW -> new AdamW(parameters.all(), new AdamW.Options(0.9, 0.999, 1e-8, settings.weightDecay));
      case ADAFACTOR -> new Adafactor(parameters.all(), settings.weightDecay);
    };
  }
}
