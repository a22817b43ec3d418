package org.diffusionrpo.rpo.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.Component;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.train.CheckpointStore;
import org.diffusionrpo.diffusion.train.DivergedException;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.Aligner;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImages;
import org.diffusionrpo.rpo.data.StyledPairs;
import org.diffusionrpo.rpo.eval.Drawing;
import org.diffusionrpo.rpo.eval.HeldOut;
import org.diffusionrpo.rpo.eval.StyleAlignment;
import org.diffusionrpo.rpo.eval.StyleClassifier;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.rpo.train.ImplicitAccuracy;
import org.diffusionrpo.rpo.train.PairBatches;
import org.diffusionrpo.rpo.train.PairEncoder;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.AtomicFiles;

/** What the units of a comparison share, each part made when the first unit needs it. */
final class Workbench implements AutoCloseable {
  /** Draws the losers of the pairs, and the noise of the implicit accuracy; the same for all units. */
  private static final long SHARED_SEED = 0;

  private final AlignSettings shared;
  private final Inputs inputs;
  private final CompareListener listener;
  private final Backend backend;
  private final ModelSource parts;
  private final StableDiffusion model;
  private final Component<UNet2DConditionModel> base;
  private final Clip clip;
  private final StyleClassifier classifier;
  private Aligner aligner;
  private Split split;
  private HeldOut heldOut;
  private ImplicitAccuracy implicitAccuracy;

  /** @param backend belongs to the caller, who closes it also when a part of the model cannot be loaded */
  Workbench(Backend backend, CompareSettings settings, Inputs inputs, CompareListener listener) throws IOException {
    this.backend = backend;
    this.shared = settings.align;
    this.inputs = inputs;
    this.listener = listener;
    this.classifier = StyleClassifier.load(inputs.classifier());
    listener.onPhase("Loading " + inputs.model());
    LoadOptions options = new LoadOptions(Storage.F32, shared.storage, shared.gradientCheckpointing);
    this.parts = shared.location(inputs.model()).open();
    this.model = StableDiffusion.load(parts, backend, options);
    this.base = parts.loadUNet(backend, shared.storage, shared.gradientCheckpointing);
    this.clip = Clip.load(inputs.clip(), backend, Storage.F32);
  }

  /** Trains, draws and measures; null when the listener cancelled, and the unit can be continued then. */
  UnitResult run(Unit unit) throws IOException {
    if (!prepare(unit)) {
      return null;
    }
    long start = System.nanoTime();
    boolean trained = unit.method() != Method.BASE;
    CheckpointStore checkpoints = new CheckpointStore(unit.folder().resolve("checkpoints"), 1);
    UnitResult result;
    try {
      if (trained && train(unit) < unit.settings().steps) {
        return null;
      }
      StyleAlignment.Score score = draw(unit, trained ? model : model.withUNet(base));
      if (score == null) {
        return null;
      }
      Double accuracy = trained ? implicitAccuracy.of(model.unet().value()) : null;
      result = new UnitResult(unit.method(), unit.candidate(), unit.settings().seed, score, accuracy, null,
          (System.nanoTime() - start) * 1e-9);
    } catch (DivergedException e) {
      if (!trained) {
        throw e;
      }
      result = new UnitResult(unit.method(), unit.candidate(), unit.settings().seed, null, null, e.getMessage(),
          (System.nanoTime() - start) * 1e-9);
    }
    result.write(unit.resultFile());
    checkpoints.clear();
    return result;
  }

  /** The measures of one split; before the split is asked for, none of its pictures are kept. */
  HeldOut heldOut(Split wanted) throws IOException {
    if (split != wanted) {
      listener.onPhase("Preparing the measures on the " + wanted.label() + " split");
      heldOut = new HeldOut(inputs.data(), wanted, shared.style, shared.evaluate,
          new ClipEmbedder(backend, clip.model().value(), clip.tokenizer()), classifier);
      implicitAccuracy = null;
      split = wanted;
    }
    return heldOut;
  }

  /** Makes what the unit needs and is not there yet; false when the listener cancelled. */
  private boolean prepare(Unit unit) throws IOException {
    heldOut(unit.split());
    if (unit.method() == Method.BASE) {
      return true;
    }
    if (implicitAccuracy == null) {
      encode(pairs(heldOut.styled(), split), null).ifPresent(pairs -> implicitAccuracy = implicitAccuracy(pairs));
    }
    if (aligner == null) {
      StyledImages train = StyledImages.load(inputs.data(), Set.of(Split.TRAIN));
      encode(pairs(train, Split.TRAIN), clip)
          .ifPresent(pairs -> aligner = new Aligner(backend, model, parts, base.value(), pairs));
    }
    return implicitAccuracy != null && aligner != null;
  }

  private int train(Unit unit) throws IOException {
    Files.createDirectories(unit.folder());
    return aligner.train(
        unit.settings(), unit.folder().resolve("checkpoints"), unit.folder().resolve("metrics.jsonl"), listener);
  }

  private StyleAlignment.Score draw(Unit unit, StableDiffusion drawn) throws IOException {
    List<String> prompts = heldOut.prompts();
    listener.onPhase("Drawing " + prompts.size() + " pictures");
    List<RgbImage> images = Drawing.draw(backend, drawn, prompts, unit.settings().seed,
        Drawing.sampling(shared.sampleSteps, shared.guidance), listener);
    if (images.size() < prompts.size()) {
      return null;
    }
    for (int i = 0; i < Math.min(shared.samples, images.size()); i++) {
      AtomicFiles.write(unit.picture(i), ImageCodec.encodePng(images.get(i)));
    }
    return heldOut.score(images);
  }

  private ImplicitAccuracy implicitAccuracy(EncodedPairs pairs) {
    PairBatches.Options once = new PairBatches.Options(pairs.size(), 1, PairBatches.Timestep.PAIR, 0, SHARED_SEED);
    return new ImplicitAccuracy(backend,
        new PairBatches(pairs, model.vae().value(), model.scheduler().value(), once), base.value());
  }

  private List<PreferencePair> pairs(StyledImages styled, Split wanted) {
    List<PreferencePair> pairs = StyledPairs.form(styled, wanted, shared.style, shared.losers, SHARED_SEED);
    return shared.limit == null ? pairs : pairs.subList(0, Math.min(shared.limit, pairs.size()));
  }

  private Optional<EncodedPairs> encode(List<PreferencePair> pairs, Clip embeddings) throws IOException {
    listener.onPhase("Encoding " + pairs.size() + " pairs");
    return PairEncoder.of(backend, model, embeddings).encode(pairs, listener);
  }

  @Override
  public void close() {
    clip.close();
    base.value().close();
    model.close();
  }

  /** Where everything comes from. */
  record Inputs(Path model, Path clip, Path data, Path classifier) {}
}
