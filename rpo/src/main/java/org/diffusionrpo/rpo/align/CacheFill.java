package org.diffusionrpo.rpo.align;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import org.diffusionrpo.tensor.Storage;

/** Encodes everything that a run with these settings reads into its cache, and trains nothing. */
public final class CacheFill {
  private CacheFill() {}

  /**
   * What is in the cache now.
   *
   * @param pairs that can be used
   * @param report of what was left out, in one or more lines
   * @param relabelled what the AI feedback did; null without one
   */
  public record Result(int pairs, String report, String relabelled) {}

  /**
   * Runs to the end or until the listener cancels; what was encoded by then is kept.
   *
   * @param settings with a cache; those of the training are not read but for what they need encoded
   * @return empty when the listener cancelled
   */
  public static Optional<Result> run(AlignSettings settings, AlignListener listener) throws IOException {
    settings.complete();
    if (settings.cache == null) {
      throw new IllegalArgumentException("--cache: name a folder to fill");
    }
    ModelSource parts = settings.open();
    AlignData data = AlignData.load(settings);
    Path clipPath = settings.needsEmbeddings() ? Encoding.required(settings, parts) : null;
    try (Backend backend = Backends.open(settings.backend, settings.precision, listener::onPhase)) {
      listener.onPhase("Loading " + settings.modelPath());
      try (StableDiffusion model = StableDiffusion.loadEncoders(parts, backend, settings.storage);
          Clip clip = clipPath == null ? null : Clip.load(clipPath, backend, Storage.F32);
          Encoding encoding = new Encoding(settings, backend, parts, model, clipPath, clip)) {
        Optional<EncodedPairs> pairs = encoding.encode(data, listener);
        if (pairs.isEmpty()) {
          return Optional.empty();
        }
        try (EncodedPairs open = pairs.get()) {
          return Optional.of(new Result(open.size(), data.report().toString(), encoding.relabelled()));
        }
      }
    }
  }
}
