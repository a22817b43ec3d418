package org.diffusionrpo.rpo.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.pipeline.SamplingSettings;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.align.ModelSettings;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.eval.Drawing;
import org.diffusionrpo.rpo.eval.HeldOut;
import org.diffusionrpo.rpo.eval.StyleAlignment;
import org.diffusionrpo.rpo.eval.StyleClassifier;
import org.diffusionrpo.rpo.report.ComparisonTable;
import org.diffusionrpo.rpo.report.StyleTable;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.io.AtomicFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code drpo evaluate}: how well models draw a style. */
@Command(name = "evaluate", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    description = "Draw held-out prompts with each model and measure how far the pictures have a style.",
    footer = {"", "Examples:",
        "  drpo evaluate",
        "  drpo evaluate rpo/model runs/rpo-sketch-seed1/model --seeds 1,2,3",
        "  drpo evaluate runs/fluent/model --style fluent --split test --out fluent.json",
        "  drpo evaluate rpo/model --unet runs/fluent/model/unet --style fluent",
        "  drpo evaluate --lora runs/lora/lora/pytorch_lora_weights.safetensors:0.8"})
final class EvaluateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "Model folders in the layout of diffusers or .safetensors files with "
      + "a whole model (default: the bundled model).")
  private List<Path> models = new ArrayList<>();

  @Option(names = "--lora", paramLabel = LoraArgument.LABEL, converter = LoraArgument.Converter.class,
      description = "Add a LoRA to the models with this strength (default: 1); repeatable.")
  private List<LoraArgument> loras = new ArrayList<>();

  @Option(names = "--style", paramLabel = "NAME", description = "Style of the bundled data (default: ${DEFAULT-VALUE}).")
  private String style = "sketch";

  @Option(names = "--split", paramLabel = "NAME", description = "validation or test (default: validation).")
  private Split split = Split.VALIDATION;

  @Option(names = "--seeds", paramLabel = "SEED", split = ",", description = "Seeds of the pictures (default: 1,2,3).")
  private List<Long> seeds = List.of(1L, 2L, 3L);

  @Option(names = "--images", description = "Pictures for each seed (default: ${DEFAULT-VALUE}).")
  private int images = 100;

  @Option(names = "--sample-steps", description = "Sampler steps (default: ${DEFAULT-VALUE}).")
  private int sampleSteps = 20;

  @Option(names = "--guidance", description = "Scale of classifier-free guidance (default: ${DEFAULT-VALUE}).")
  private double guidance = 3;

  @Option(names = "--clip", paramLabel = "DIR", description = "CLIP that measures (default: clip/ in the first model).")
  private Path clip;

  @Mixin private ModelSettings parts = new ModelSettings();

  @Option(names = "--out", paramLabel = "FILE", description = "Write the scores as JSON, too.")
  private Path out;

  @Mixin private SamplerBackendOptions backendOptions = new SamplerBackendOptions();

  @Override
  public Integer call() throws IOException {
    if (split == Split.TRAIN) {
      throw new IllegalArgumentException("--split train: expected validation or test, which no model has seen");
    }
    SamplingSettings sampling = Drawing.sampling(sampleSteps, guidance);
    if (models.isEmpty()) {
      models = List.of(Bundled.require(Bundled.model()));
    }
    Path clipFolder = clip != null ? clip : parts.location(models.get(0)).open().clip().orElseThrow(() ->
        new IllegalArgumentException(models.get(0) + " has no clip/ beside it: name one with --clip"));
    StyleClassifier classifier = StyleClassifier.load(Bundled.require(Bundled.styleClassifier()));
    Map<Path, List<StyleAlignment.Score>> scores = new LinkedHashMap<>();
    double accuracy;
    try (Backend backend = backendOptions.open();
        Clip judge = Clip.load(clipFolder, backend, Storage.F32);
        RunProgress progress = new RunProgress(spec.commandLine().getErr())) {
      HeldOut heldOut = new HeldOut(Bundled.require(Bundled.data()), split, style, images,
          new ClipEmbedder(backend, judge.model().value(), judge.tokenizer()), classifier);
      accuracy = heldOut.classifierAccuracy();
      for (Path model : models) {
        scores.put(model, scores(backend, model, heldOut, sampling, progress));
        if (progress.cancelled()) {
          return Interruption.EXIT_CODE;
        }
      }
    }
    print(scores, accuracy);
    if (out != null) {
      AtomicFiles.write(out, json(scores, accuracy).toPrettyString() + "\n");
    }
    return 0;
  }

  /** A score for each seed; fewer when the user interrupted. */
  private List<StyleAlignment.Score> scores(Backend backend, Path folder, HeldOut heldOut, SamplingSettings sampling,
      RunProgress progress) throws IOException {
    List<StyleAlignment.Score> scores = new ArrayList<>();
    try (StableDiffusion model = StableDiffusion.load(parts.location(folder).open(), backend, parts.asStored())) {
      LoraArgument.merge(loras, model);
      for (long seed : seeds) {
        progress.onPhase("Drawing " + images + " pictures with " + folder + ", seed " + seed);
        List<RgbImage> pictures = Drawing.draw(backend, model, heldOut.prompts(), seed, sampling, progress);
        if (pictures.size() < images) {
          return scores;
        }
        scores.add(heldOut.score(pictures));
      }
    }
    return scores;
  }

  private void print(Map<Path, List<StyleAlignment.Score>> scores, double accuracy) {
    PrintWriter console = spec.commandLine().getOut();
    ComparisonTable table = StyleTable.of("model", style);
    scores.forEach((model, ofModel) -> table.row(model.toString(), StyleTable.cells(ofModel)));
    console.print(table.toText());
    StyleAlignment.Score first = scores.values().iterator().next().get(0);
    console.printf(Locale.ROOT, "%n%d pictures for each of %d seeds, %s split; Fréchet distance in %d dimensions; the "
        + "style classifier is right on %.1f %% of the real pictures.%n", first.images(), seeds.size(), split.label(),
        first.dimensions(), 100 * accuracy);
    console.flush();
  }

  private ObjectNode json(Map<Path, List<StyleAlignment.Score>> scores, double accuracy) {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode json = mapper.createObjectNode().put("style", style).put("split", split.label())
        .put("sample_steps", sampleSteps).put("guidance", guidance).put("classifier_accuracy", accuracy);
    json.set("seeds", mapper.valueToTree(seeds));
    json.set("loras", mapper.valueToTree(loras.stream().map(lora -> lora.file() + ":" + lora.scale()).toList()));
    json.set("model_options", mapper.valueToTree(parts.given()));
    ObjectNode byModel = json.putObject("scores");
    scores.forEach((model, ofModel) -> byModel.set(model.toString(), mapper.valueToTree(ofModel)));
    return json;
  }
}
