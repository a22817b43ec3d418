package org.diffusionrpo.rpo.align;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.rpo.train.ClipScorer;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.rpo.train.EncoderChecksums;
import org.diffusionrpo.rpo.train.PairCache;
import org.diffusionrpo.rpo.train.PairEncoder;
import org.diffusionrpo.rpo.train.Relabelling;
import org.diffusionrpo.rpo.train.StreamedPairs;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;

/** Brings the pairs of a run into the form that training reads: in memory, in a cache, or as a stream. */
final class Encoding implements Closeable {
  private final AlignSettings settings;
  private final PairEncoder encoder;
  private final Clip ownChoice;
  private final Relabelling relabelling;

  /**
   * Loads the CLIP of the AI feedback, if the settings want any.
   *
   * @param clip the CLIP of {@code clipPath}; both null when the run reads no embeddings
   */
  Encoding(AlignSettings settings, Backend backend, ModelSource parts, StableDiffusion model, Path clipPath, Clip clip)
      throws IOException {
    this.settings = settings;
    this.encoder = PairEncoder.of(backend, model, settings.needsEmbeddings() ? clip : null);
    if (settings.choiceModel == null) {
      this.ownChoice = null;
      this.relabelling = null;
      return;
    }
    Path choicePath = settings.choiceClip != null ? settings.choiceClip : named(settings, parts).orElseThrow(
        () -> new IllegalArgumentException("--choice-model clip: name a CLIP with --choice-clip"));
    this.ownChoice = choicePath.equals(clipPath) ? null : Clip.load(choicePath, backend, Storage.F32);
    Clip choice = ownChoice == null ? clip : ownChoice;
    this.relabelling = new Relabelling(new ClipScorer(
        new ClipEmbedder(backend, choice.model().value(), choice.tokenizer()), EncoderChecksums.clip(choice)));
  }

  /** The CLIP that the settings name or that lies beside the model. */
  static Optional<Path> named(AlignSettings settings, ModelSource parts) {
    return settings.clip != null ? Optional.of(settings.clip) : parts.clip();
  }

  /** The same; {@link IllegalArgumentException} says which settings want none where there is none. */
  static Path required(AlignSettings settings, ModelSource parts) {
    return named(settings, parts).orElseThrow(() -> new IllegalArgumentException(parts.path()
        + " has no clip/ beside it: name one with --clip, or use --weights uniform or diagonal"
        + (settings.measures() ? " and --evaluate 0" : "")));
  }

  /** Empty when the listener cancelled. */
  Optional<EncodedPairs> encode(AlignData data, AlignListener listener) throws IOException {
    if (settings.stream) {
      return Optional.of(
          new StreamedPairs(data.blocks(), settings.window, encoder, relabelling, data.report()));
    }
    Optional<EncodedPairs> pairs = settings.cache != null ? cached(data, listener) : inMemory(data, listener);
    if (pairs.isPresent() && relabelling != null) {
      listener.onPhase(relabelled());
    }
    return pairs;
  }

  private Optional<EncodedPairs> cached(AlignData data, AlignListener listener) throws IOException {
    listener.onPhase("Encoding what " + settings.cache + " lacks of " + data.size() + " pairs");
    return PairCache.fill(settings.cache, data.blocks(), encoder, settings.flip, relabelling, data.report(), listener)
        .map(pairs -> pairs);
  }

  private Optional<EncodedPairs> inMemory(AlignData data, AlignListener listener) throws IOException {
    List<PreferencePair> pairs = data.pairs();
    if (relabelling != null) {
      listener.onPhase("Scoring " + pairs.size() + " pairs");
      pairs = relabelling.apply(pairs, listener);
      if (pairs.size() < data.size()) {
        return Optional.empty();
      }
    }
    listener.onPhase("Encoding " + pairs.size() + " pairs");
    return encoder.encode(pairs, settings.flip, listener);
  }

  /** What the AI feedback did so far; null without one. */
  String relabelled() {
    return relabelling == null ? null : "Choice model " + relabelling;
  }

  @Override
  public void close() {
    if (ownChoice != null) {
      ownChoice.close();
    }
  }
}
