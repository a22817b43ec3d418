package org.diffusionrpo.rpo.align;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.lora.LoraAdapters;
import org.diffusionrpo.diffusion.train.CheckpointStore;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import org.diffusionrpo.tensor.Storage;

/**
 * Aligns a model with preferences, from settings to the run folder:
 * <pre>
 *   pairs -> VAE moments, text contexts, CLIP embeddings -> updates -> model/, metrics.jsonl, samples.png, report.html
 *                                                                   and, with adapters, lora/
 * </pre>
 */
public final class AlignRun {
  private final AlignSettings settings;
  private final AlignListener listener;
  private final Path modelPath;

  private AlignRun(AlignSettings settings, AlignListener listener) {
    this.settings = settings;
    this.listener = listener;
    this.modelPath = settings.modelPath();
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
    if (settings.measures()) {
      Bundled.require(Bundled.styleClassifier()); // missing it shows now, not after the last update
    }
    ModelSource parts = settings.open();
    AlignData data = AlignData.load(settings);
    Path clipPath = clip(settings, parts);
    ObjectNode manifest = RunManifest.of(settings, modelPath, settings.needsEmbeddings() ? clipPath : null, data);
    manifest.put("pairs", data.size()).put("left_out", data.leftOut());
    RunFolder folder = RunFolder.open(settings.out, manifest, settings.resume);
    int made = new CheckpointStore(folder.checkpoints(), 1).newestStep();
    if (made > settings.steps) {
      throw new IllegalArgumentException("--steps " + settings.steps + ": the run in " + settings.out + " has made " + made
          + " updates already");
    }
    try (Backend backend = open();
        StableDiffusion model = StableDiffusion.load(parts, backend,
            new LoadOptions(settings.lora == null ? Storage.F32 : settings.storage, settings.storage,
                settings.gradientCheckpointing));
        Clip clip = clipPath == null ? null : Clip.load(clipPath, backend, Storage.F32);
        Encoding encoding = new Encoding(settings, backend, parts, model, clipPath, clip)) {
      Aligner.requireNoiseOrVelocity(model);
      UNet2DConditionModel unet = model.unet().value();
      if (settings.lora == null) {
        try (UNet2DConditionModel base =
            parts.loadUNet(backend, settings.storage, settings.gradientCheckpointing).value()) {
          Trainee trainee = new AllWeights(backend, unet, base, parts, settings.saveDtype.dtype());
          return align(backend, model, clip, data, encoding, trainee, folder, manifest, made);
        }
      }
      try (LoraAdapters adapters = attach(unet, settings)) {
        Trainee trainee = new Adapters(backend, unet, adapters, parts, settings.loraFormat, settings.seed,
            settings.saveDtype.dtype());
        return align(backend, model, clip, data, encoding, trainee, folder, manifest, made);
      }
    }
  }

  private AlignResult align(Backend backend, StableDiffusion model, Clip clip, AlignData data, Encoding encoding,
      Trainee trainee, RunFolder folder, ObjectNode manifest, int made) throws IOException {
    RunManifest.put(manifest, backend);
    folder.create(manifest);
    Optional<EncodedPairs> encoded = encoding.encode(data, listener);
    backend.trim();
    int done = train(encoded, data, backend, model, trainee, folder, made);
    backend.trim();
    if (settings.stream && encoding.relabelled() != null) {
      listener.onPhase(encoding.relabelled());
    }
    manifest.put("left_out", data.leftOut()).put("relabelled", encoding.relabelled());
    if (done < settings.steps) {
      return new AlignResult(done, folder.path(), null, null, null);
    }
    listener.onPhase("Saving the aligned model");
    trainee.save(model, folder);
    return new AlignReport(settings, backend, clip, data, folder, listener)
        .write(model, trainee.reference(), manifest);
  }

  static LoraAdapters attach(UNet2DConditionModel unet, AlignSettings settings) {
    try {
      return LoraAdapters.attach(unet, settings.loraConfig());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--lora-targets " + settings.loraTargets + ": " + e.getMessage(), e);
    }
  }

  private Backend open() {
    Backend backend = Backends.open(settings.backend, settings.precision, listener::onPhase);
    listener.onPhase("Loading " + modelPath);
    return backend;
  }

  /** Updates made in all; {@code made} by an earlier run when encoding was cancelled. */
  private int train(Optional<EncodedPairs> encoded, AlignData data, Backend backend, StableDiffusion model,
      Trainee trainee, RunFolder folder, int made) throws IOException {
    if (encoded.isEmpty()) {
      return made;
    }
    try (EncodedPairs pairs = encoded.get()) {
      if (pairs.size() == 0) {
        throw new IOException(data.source() + ": no usable pair: " + data.report());
      }
      return new Aligner(backend, model, trainee, pairs)
          .train(settings, folder.checkpoints(), folder.metrics(), listener);
    }
  }

  /** Null when neither the loss nor the report reads embeddings. */
  static Path clip(AlignSettings settings, ModelSource parts) {
    if (!settings.needsEmbeddings() && !settings.measures()) {
      return null;
    }
    return Encoding.required(settings, parts);
  }
}
