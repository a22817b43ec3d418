package org.diffusionrpo.rpo.align;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.Component;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.ModelFolder;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.schedule.NoiseSchedule;
import org.diffusionrpo.diffusion.schedule.PredictionType;
import org.diffusionrpo.diffusion.train.CheckpointStore;
import org.diffusionrpo.diffusion.train.LatentEncoder;
import org.diffusionrpo.diffusion.train.TrainListener;
import org.diffusionrpo.diffusion.train.TrainLoop;
import org.diffusionrpo.diffusion.train.TrainState;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.rpo.train.PairBatches;
import org.diffusionrpo.rpo.train.PairEncoder;
import org.diffusionrpo.rpo.train.PreferenceObjective;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.DType;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.optim.Adafactor;
import org.diffusionrpo.tensor.optim.AdamW;
import org.diffusionrpo.tensor.optim.Ema;
import org.diffusionrpo.tensor.optim.Optimizer;

/**
 * Aligns a model with preferences, from settings to the run folder:
 * <pre>
 *   pairs -> VAE moments, text contexts, CLIP embeddings -> updates -> model/, metrics.jsonl, samples.png, report.html
 * </pre>
 */
public final class AlignRun {
  private static final int KEPT_CHECKPOINTS = 2;
  private static final int MAX_SKIPS = 20;

  private final AlignSettings settings;
  private final AlignListener listener;
  private final Path modelPath;

  private AlignRun(AlignSettings settings, AlignListener listener) {
    this.settings = settings;
    this.listener = listener;
    this.modelPath = settings.model == null ? Bundled.require(Bundled.model()) : settings.model;
  }

  /**
   * Runs to the end or until the listener cancels, which leaves a checkpoint to resume from.
   *
   * @throws IllegalArgumentException for a setting that cannot be; nothing has been written then
   * @throws IOException for a file that is missing or damaged
   */
  public static AlignResult run(AlignSettings settings, AlignListener listener) throws IOException {
    return new AlignRun(settings.complete(), listener).run();
  }

  private AlignResult run() throws IOException {
    listener.onPhase("Loading " + modelPath);
    try (Backend backend = Backends.open(settings.backend);
        StableDiffusion model = StableDiffusion.load(modelPath, backend,
            new LoadOptions(Storage.F32, Storage.F32, settings.gradientCheckpointing));
        Clip clip = loadClip(backend, model)) {
      requireEpsilon(model);
      AlignData data = AlignData.load(settings);
      ObjectNode manifest = RunManifest.of(settings, modelPath, data.source());
      manifest.put("pairs", data.pairs().size()).put("left_out", data.report());
      RunFolder folder = RunFolder.open(settings.out, manifest, settings.resume);
      Component<UNet2DConditionModel> base =
          ModelFolder.open(modelPath).loadUNet(backend, Storage.F32, settings.gradientCheckpointing);
      try {
        int done = train(backend, model, clip, base.value(), data, folder);
        if (done < settings.steps) {
          return new AlignResult(done, folder.path(), null, null, null);
        }
        listener.onPhase("Saving the aligned model");
        model.save(folder.model(), DType.F16);
        return new AlignReport(settings, backend, clip, data, folder, listener).write(withUNet(model, base), model, manifest);
      } finally {
        base.value().close();
      }
    }
  }

  private int train(Backend backend, StableDiffusion model, Clip clip, UNet2DConditionModel base, AlignData data,
      RunFolder folder) throws IOException {
    EncodedPairs pairs = encode(backend, model, clip, data);
    UNet2DConditionModel policy = model.unet().value();
    policy.parameters().unfreeze();
    PairBatches batches = new PairBatches(pairs, model.vae().value(), NoiseSchedule.of(model.scheduler().value()),
        new PairBatches.Options(settings.batch, settings.contrast, settings.timestep, settings.captionDropout,
            settings.seed));
    PreferenceObjective objective =
        new PreferenceObjective(backend, policy, base, settings.loss(), batches, settings.microBatch);
    Ema ema = settings.ema == null ? null : new Ema(policy.parameters().all(), settings.ema);
    try (TrainState state = new TrainState(policy.parameters(), optimizer(policy.parameters()), ema)) {
      CheckpointStore checkpoints = new CheckpointStore(folder.checkpoints(), KEPT_CHECKPOINTS);
      try (StepLog log = new StepLog(folder.metrics(), listener)) {
        TrainLoop loop = new TrainLoop(new TrainLoop.Settings(settings.steps, settings.learningRate(),
            settings.maxGradNorm, settings.checkpointEvery, MAX_SKIPS), state, checkpoints, log);
        int first = loop.resume();
        log.continueAfter(first);
        listener.onPhase(first == 0 ? "Aligning" : "Aligning, continued after update " + first);
        int done = loop.run(objective, first);
        if (ema != null && done == settings.steps) {
          ema.swap();
        }
        return done;
      }
    } finally {
      policy.parameters().freeze();
    }
  }

  private EncodedPairs encode(Backend backend, StableDiffusion model, Clip clip, AlignData data) throws IOException {
    int factor = model.vae().value().config().factor();
    int side = model.unet().value().config().sampleSize();
    ClipEmbedder embedder = settings.needsEmbeddings()
        ? new ClipEmbedder(backend, clip.model().value(), clip.tokenizer()) : null;
    LatentEncoder latents = new LatentEncoder(backend, model.vae().value(), model.textEncoder().value().model(),
        model.tokenizer());
    listener.onPhase("Encoding " + data.pairs().size() + " pairs");
    return new PairEncoder(latents, embedder,
        Shape.of(side, side, model.vae().value().config().latentChannels()), side * factor)
        .encode(data.pairs(), done -> listener.onProgress(done, data.pairs().size()));
  }

  private Optimizer optimizer(Parameters parameters) {
    return switch (settings.optimizer) {
      case ADAMW -> new AdamW(parameters.all(), new AdamW.Options(0.9, 0.999, 1e-8, settings.weightDecay));
      case ADAFACTOR -> new Adafactor(parameters.all(), settings.weightDecay);
    };
  }

  private Clip loadClip(Backend backend, StableDiffusion model) throws IOException {
    Path path = settings.clip != null ? settings.clip : model.clip();
    if (path == null || !Files.isDirectory(path)) {
      if (settings.needsEmbeddings() || settings.evaluate > 0) {
        throw new IllegalArgumentException(modelPath + " has no clip/ beside it: name one with --clip, or use --weights "
            + "uniform or diagonal and --evaluate 0");
      }
      return null;
    }
    return Clip.load(path, backend, Storage.F32);
  }

  private static void requireEpsilon(StableDiffusion model) {
    PredictionType prediction = model.scheduler().value().predictionType();
    if (prediction != PredictionType.EPSILON) {
      throw new IllegalArgumentException("the model predicts " + prediction + "; preference training needs a model that "
          + "predicts the noise (epsilon)");
    }
  }

  private static StableDiffusion withUNet(StableDiffusion model, Component<UNet2DConditionModel> unet) {
    return new StableDiffusion(model.index(), unet, model.vae(), model.textEncoder(), model.tokenizer(),
        model.scheduler(), model.clip());
  }
}
