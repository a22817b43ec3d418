package org.diffusionrpo.rpo.align;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.diffusionrpo.diffusion.clip.ClipEmbedder;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.ImageGrid;
import org.diffusionrpo.diffusion.image.PngText;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.Component;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.pipeline.SamplingSettings;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.eval.Drawing;
import org.diffusionrpo.rpo.eval.HeldOut;
import org.diffusionrpo.rpo.eval.StyleAlignment;
import org.diffusionrpo.rpo.eval.StyleClassifier;
import org.diffusionrpo.rpo.report.Block.Samples.Sample;
import org.diffusionrpo.rpo.report.ComparisonTable;
import org.diffusionrpo.rpo.report.HtmlReport;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.diffusionrpo.rpo.report.Page;
import org.diffusionrpo.rpo.report.RunReport;
import org.diffusionrpo.rpo.report.StyleTable;
import org.diffusionrpo.rpo.train.Reference;
import org.diffusionrpo.tensor.Backend;

/** Draws the same prompts and seeds before and after, measures both, and writes what a person looks at. */
final class AlignReport {
  private static final String BEFORE = "before";
  private static final String AFTER = "after";

  private final AlignSettings settings;
  private final Backend backend;
  private final Clip clip;
  private final AlignData data;
  private final RunFolder folder;
  private final AlignListener listener;
  private final SamplingSettings sampling;

  AlignReport(AlignSettings settings, Backend backend, Clip clip, AlignData data, RunFolder folder,
      AlignListener listener) {
    this.settings = settings;
    this.backend = backend;
    this.clip = clip;
    this.data = data;
    this.folder = folder;
    this.listener = listener;
    this.sampling = Drawing.sampling(settings.sampleSteps, settings.guidance);
  }

  /** @param reference the UNet of the model before the alignment */
  AlignResult write(StableDiffusion aligned, Reference reference, ObjectNode manifest) throws IOException {
    boolean measure = settings.evaluate > 0 && data.styled() != null;
    int count = measure ? Math.max(settings.evaluate, settings.samples) : settings.samples;
    HeldOut heldOut = measure ? heldOut(count) : null;
    List<String> prompts = measure ? heldOut.prompts() : Drawing.repeat(data.prompts(Split.VALIDATION, count), count);
    List<RgbImage> before = reference.with(unet -> draw(
        aligned.withUNet(new Component<>(unet, aligned.unet().config())), prompts, "base model"));
    List<RgbImage> after = draw(aligned, prompts, "aligned model");
    if (after.size() < prompts.size()) {
      return new AlignResult(settings.steps, folder.path(), null, null, null);
    }
    StyleAlignment.Score scoreBefore = null;
    StyleAlignment.Score scoreAfter = null;
    List<ComparisonTable> tables = new ArrayList<>();
    List<String> notes = new ArrayList<>();
    if (measure) {
      listener.onPhase("Measuring style alignment");
      scoreBefore = heldOut.score(before);
      scoreAfter = heldOut.score(after);
      notes.add(note(scoreAfter, heldOut));
      tables.add(StyleTable.of("model", settings.style)
          .row(BEFORE, StyleTable.cells(List.of(scoreBefore)))
          .row(AFTER, StyleTable.cells(List.of(scoreAfter))));
      ObjectNode results = manifest.putObject("results");
      put(results.putObject(BEFORE), scoreBefore);
      put(results.putObject(AFTER), scoreAfter);
    }
    int shown = Math.min(settings.samples, prompts.size());
    if (shown > 0) {
      writeGrid(spread(prompts, shown), spread(before, shown), spread(after, shown));
    }
    folder.writeManifest(manifest);
    HtmlReport.write(folder.report(), page(spread(prompts, shown), spread(before, shown), spread(after, shown),
        scoreBefore, scoreAfter, tables, notes));
    return new AlignResult(settings.steps, folder.path(), folder.model(), scoreBefore, scoreAfter);
  }

  /** Fewer pictures than prompts when the listener cancelled. */
  private List<RgbImage> draw(StableDiffusion model, List<String> prompts, String name) {
    if (!prompts.isEmpty() && !listener.cancelled()) {
      listener.onPhase("Drawing " + prompts.size() + " pictures with the " + name);
      return Drawing.draw(backend, model, prompts, settings.seed, sampling, listener);
    }
    return List.of();
  }

  private HeldOut heldOut(int pictures) throws IOException {
    listener.onPhase("Preparing the measures");
    return new HeldOut(data.source(), Split.VALIDATION, settings.style, pictures,
        new ClipEmbedder(backend, clip.model().value(), clip.tokenizer()),
        StyleClassifier.load(Bundled.require(Bundled.styleClassifier())));
  }

  /** What a reader of the table must know. */
  private static String note(StyleAlignment.Score score, HeldOut heldOut) {
    return String.format(Locale.ROOT, "Measured on %d pictures of prompts of the validation split, which no training "
        + "has seen, but on which the default settings were tried; ./drpo compare measures on the test split. The Fréchet "
        + "distance is taken in %d dimensions of the CLIP image embedding, against the split's real pictures of the "
        + "preferred style. The style classifier, which knows nothing of CLIP, names the style of %.1f %% of the "
        + "split's real pictures.", score.images(), score.dimensions(), 100 * heldOut.classifierAccuracy());
  }

  /** Two rows, one column for each prompt; small pictures magnified by whole pixels. */
  private void writeGrid(List<String> prompts, List<RgbImage> before, List<RgbImage> after) throws IOException {
    List<List<RgbImage>> rows = List.of(
        before.stream().map(ImageGrid::magnifySmall).toList(), after.stream().map(ImageGrid::magnifySmall).toList());
    byte[] png = ImageCodec.encodePng(ImageGrid.compose(rows, prompts, List.of(BEFORE, AFTER)));
    Files.write(folder.samples(), PngText.add(png, Map.of("parameters", "seed " + settings.seed + ", " + sampling),
        folder.samples().toString()));
  }

  /** {@code count} items spread evenly over a list, so that the shown pictures are not all of one kind. */
  private static <T> List<T> spread(List<T> all, int count) {
    List<T> chosen = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      chosen.add(all.get(i * all.size() / count));
    }
    return chosen;
  }

  private Page page(List<String> prompts, List<RgbImage> before, List<RgbImage> after, StyleAlignment.Score scoreBefore,
      StyleAlignment.Score scoreAfter, List<ComparisonTable> tables, List<String> notes) throws IOException {
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      Map<String, byte[]> pictures = new LinkedHashMap<>();
      pictures.put(BEFORE, ImageCodec.encodePng(before.get(i)));
      pictures.put(AFTER, ImageCodec.encodePng(after.get(i)));
      samples.add(new Sample(prompts.get(i), pictures));
    }
    List<Page.Fact> facts = new ArrayList<>();
    facts.add(new Page.Fact("updates", String.valueOf(settings.steps)));
    facts.add(new Page.Fact("pairs", String.valueOf(data.size())));
    if (scoreAfter != null) {
      facts.add(new Page.Fact("in the style", String.format(Locale.ROOT, "%.0f %% → %.0f %%",
          100 * scoreBefore.styleShare(), 100 * scoreAfter.styleShare())));
    }
    String goal = data.styled() == null ? data.source().toString() : "the style '" + settings.style + "'";
    return new RunReport(settings.objective.title() + " towards " + goal, "Run folder " + folder.path(), facts,
        RunManifest.settings(settings), MetricsLog.read(folder.metrics()), samples, tables, notes).page();
  }

  private static void put(ObjectNode node, StyleAlignment.Score score) {
    node.put("frechet", score.frechet()).put("style_share", score.styleShare()).put("clip_score", score.clipScore())
        .put("images", score.images()).put("dimensions", score.dimensions());
  }
}
