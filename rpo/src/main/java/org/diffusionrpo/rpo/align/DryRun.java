package org.diffusionrpo.rpo.align;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.clip.ClipModel;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.Component;
import org.diffusionrpo.diffusion.io.ComponentFolder;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.WeightlessModel;
import org.diffusionrpo.diffusion.lora.LoraAdapters;
import org.diffusionrpo.diffusion.train.TrainState;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.rpo.eval.Drawing;
import org.diffusionrpo.rpo.train.EncodedPairs;
import org.diffusionrpo.rpo.train.PairEncoder;
import org.diffusionrpo.rpo.train.PreferenceObjective;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.counting.CountingBackend;
import org.diffusionrpo.tensor.nn.Parameter;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.optim.Ema;
import org.diffusionrpo.tensor.optim.Gradients;

/**
 * The code of an {@link AlignRun} on a backend that only counts, with some made-up pairs, one update and one batch of
 * pictures. It reads settings and the headers of weight files.
 */
public final class DryRun {
  /** The most pictures or captions that are encoded at once. */
  private static final int MOST_PAIRS = 64;
  /** As many as are drawn at once of the smallest latents. */
  private static final int MOST_PICTURES = 64;

  private final AlignSettings settings;
  private final CountingBackend backend = new CountingBackend();
  private final Map<Counts.Part, Long> parts = new EnumMap<>(Counts.Part.class);
  private final Map<Counts.Phase, Counts.Load> loads = new EnumMap<>(Counts.Phase.class);

  private DryRun(AlignSettings settings) {
    this.settings = settings;
  }

  /**
   * Counts what a run with these settings takes.
   *
   * @throws IllegalArgumentException for a setting that cannot be
   * @throws IOException for a file that is missing or damaged
   */
  public static Counts of(AlignSettings settings) throws IOException {
    return new DryRun(settings.copy().complete()).run();
  }

  private Counts run() throws IOException {
    ModelSource source = settings.open();
    HostData data = HostData.of(settings);
    Path clipPath = AlignRun.clip(settings, source);
    Path choicePath = settings.choiceModel == null ? null : settings.choiceClip;
    boolean adapts = settings.lora != null;
    try (StableDiffusion model = StableDiffusion.load(new WeightlessModel(source), backend, new LoadOptions(
            adapts ? settings.storage : Storage.F32, settings.storage, settings.gradientCheckpointing));
        Clip clip = clipPath == null ? null : clip(clipPath);
        Clip choice = choicePath == null || choicePath.equals(clipPath) ? null : clip(choicePath)) {
      Aligner.requireNoiseOrVelocity(model);
      UNet2DConditionModel unet = model.unet().value();
      parts.put(Counts.Part.UNET, values(unet.parameters()));
      parts.put(Counts.Part.VAE, values(model.vae().value().parameters()));
      parts.put(Counts.Part.TEXT_ENCODERS, values(model.textEncoder().value().parameters())
          + (model.isXl() ? values(model.textEncoder2().value().parameters()) : 0));
      parts.put(Counts.Part.CLIP, (clip == null ? 0 : values(clip.parameters()))
          + (choice == null ? 0 : values(choice.parameters())));
      if (adapts) {
        try (LoraAdapters adapters = AlignRun.attach(unet, settings)) {
          return count(data, model, clip, new Adapters(backend, unet, adapters, source, settings.loraFormat,
              settings.seed, settings.saveDtype.dtype()));
        }
      }
      try (UNet2DConditionModel base = new WeightlessModel(source)
          .loadUNet(backend, settings.storage, settings.gradientCheckpointing).value()) {
        parts.put(Counts.Part.REFERENCE, values(base.parameters()));
        return count(data, model, clip, new AllWeights(backend, unet, base,
            new WeightlessModel(source), settings.saveDtype.dtype()));
      }
    }
  }

  private Counts count(HostData data, StableDiffusion model, Clip clip, Trainee trainee) throws IOException {
    PairEncoder encoder = PairEncoder.of(backend, model, settings.needsEmbeddings() ? clip : null);
    long encodedPair;
    long largest;
    int some = Math.min(data.pairs(), MOST_PAIRS);
    int pictures = pictures(data, some);
    try (EncodedPairs pairs = encode(encoder, some, pictures)) {
      finish(Counts.Phase.ENCODING, (double) data.different() / pictures);
      encodedPair = HostData.encodedBytes(pairs, settings.flip);
      largest = train(new Aligner(backend, model, trainee, pairs), trainee, encoder);
    }
    int asked = settings.measures() ? Math.max(settings.evaluate, settings.samples) : settings.samples;
    if (asked > 0) {
      backend.trim();
      int drawn = Math.min(asked, MOST_PICTURES);
      trainee.reference().with(unet -> Drawing.draw(backend, model, captions(drawn), settings.seed,
          Drawing.sampling(settings.sampleSteps, settings.guidance), AlignListener.SILENT));
      finish(Counts.Phase.DRAWING, 2.0 * asked / drawn); // before and after
    }
    return new Counts(settings, new LinkedHashMap<>(parts), new EnumMap<>(loads),
        data.bytes(encodedPair, settings.cache != null), backend.scratchBytes(), 2 * largest,
        model.unet().value().parameters().count());
  }

  /** One update as {@link org.diffusionrpo.diffusion.train.TrainLoop} makes it; returns the size of the largest weight. */
  private long train(Aligner aligner, Trainee trainee, PairEncoder encoder) throws IOException {
    Parameters trained = trainee.start();
    try (Ema ema = settings.ema == null ? null : new Ema(trained.all(), settings.ema);
        TrainState state = new TrainState(trained, Aligner.optimizer(settings, trained), ema)) {
      parts.put(Counts.Part.ADAPTERS, settings.lora == null ? 0 : values(trained));
      parts.put(Counts.Part.GRADIENTS, bytes(trained.all().stream().map(Parameter::grad).toList()));
      parts.put(Counts.Part.OPTIMIZER, bytes(state.optimizer().state().values()));
      parts.put(Counts.Part.AVERAGE, ema == null ? 0 : bytes(ema.averages().values()));
      long before = backend.memory().liveBytes();
      backend.memory().resetPeak();
      backend.takeWork();
      PreferenceObjective objective = aligner.objective(settings);
      if (settings.stream) { // every update encodes its pairs
        encode(encoder, settings.batch, 2 * settings.batch).close();
      }
      trained.zeroGrad();
      objective.accumulate(0);
      state.step(Gradients.norm(trained.all()), settings.maxGradNorm, 0);
      parts.put(Counts.Part.ACTIVATIONS, backend.memory().peakBytes() - before);
      finish(Counts.Phase.TRAINING, settings.steps);
    } finally {
      trainee.stop();
    }
    return trained.all().stream().mapToLong(parameter -> parameter.value().buffer().bytes()).max().orElse(0);
  }

  private void finish(Counts.Phase phase, double times) {
    loads.put(phase, new Counts.Load(backend.memory().peakBytes(), backend.heldBytes(), backend.takeWork(), times));
    backend.trim();
    backend.memory().resetPeak();
  }

  /** At most twice as many pictures as pairs, with the same rest after full batches as the run has. */
  private static int pictures(HostData data, int pairs) {
    int most = 2 * pairs;
    return data.different() == 0 ? most
        : Math.min(data.different(), most - Math.floorMod(most - data.different(), PairEncoder.CHUNK));
  }

  private EncodedPairs encode(PairEncoder encoder, int count, int pictures) throws IOException {
    List<PreferencePair> pairs = new ArrayList<>();
    List<String> captions = captions(count);
    for (int i = 0; i < count; i++) {
      pairs.add(new PreferencePair(picture(2 * i % pictures), picture((2 * i + 1) % pictures), captions.get(i),
          "made up"));
    }
    return encoder.encode(pairs, settings.flip, AlignListener.SILENT).orElseThrow();
  }

  private static List<String> captions(int count) {
    List<String> captions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      captions.add(String.valueOf(i));
    }
    return captions;
  }

  private static byte[] picture(int colour) {
    return ImageCodec.encodePng(new RgbImage(1, 1, new byte[] {(byte) colour, (byte) (colour >> Byte.SIZE), 0}));
  }

  private Clip clip(Path path) throws IOException {
    Component<ClipModel> model = WeightlessModel.of(ComponentFolder.transformers(path, "CLIPModel", null))
        .load(Clip::build, ClipModel::parameters, backend, Storage.F32);
    return new Clip(model, ClipTokenizer.load(path),
        Clip.newPreprocessor(model.value().vision().config().imageSize()));
  }

  private static long values(Parameters parameters) {
    return bytes(parameters.all().stream().map(Parameter::value).toList());
  }

  private static long bytes(Collection<Tensor> tensors) {
    return tensors.stream().mapToLong(tensor -> tensor.buffer().bytes()).sum();
  }
}
