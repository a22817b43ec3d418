package org.diffusionrpo.rpo.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.ImageGrid;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.rpo.align.RunManifest;
import org.diffusionrpo.rpo.eval.HeldOut;
import org.diffusionrpo.rpo.eval.Spread;
import org.diffusionrpo.rpo.eval.StyleAlignment;
import org.diffusionrpo.rpo.report.Block;
import org.diffusionrpo.rpo.report.Block.Samples.Sample;
import org.diffusionrpo.rpo.report.ComparisonTable;
import org.diffusionrpo.rpo.report.ComparisonTable.Column;
import org.diffusionrpo.rpo.report.ComparisonTable.Sense;
import org.diffusionrpo.rpo.report.HtmlReport;
import org.diffusionrpo.rpo.report.Page;
import org.diffusionrpo.rpo.report.StyleTable;
import org.diffusionrpo.tensor.io.AtomicFiles;

/** The result of a comparison as a table, a page, a grid of pictures and JSON. */
public final class CompareReport {
  private static final Column ACCURACY = new Column("implicit accuracy, %", Sense.HIGHER, 1);

  private final CompareSettings settings;
  private final Map<String, String> hashes;
  private final Map<Method, Candidate> chosen;
  private final Map<Method, List<UnitResult>> searched;
  private final Map<Method, List<UnitResult>> results;
  private final HeldOut test;

  CompareReport(CompareSettings settings, Map<String, String> hashes, Map<Method, Candidate> chosen,
      Map<Method, List<UnitResult>> searched, Map<Method, List<UnitResult>> results, HeldOut test) {
    this.settings = settings;
    this.hashes = hashes;
    this.chosen = chosen;
    this.searched = searched;
    this.results = results;
    this.test = test;
  }

  /** The folder of the comparison. */
  public Path out() {
    return settings.align.out;
  }

  /** Methods against measures on the test split, mean and spread over seeds. */
  public ComparisonTable table() {
    ComparisonTable table = StyleTable.of("method", settings.align.style, ACCURACY);
    results.forEach((method, units) -> {
      Candidate candidate = chosen.get(method);
      table.row(method.title() + (candidate == null ? "" : " (" + candidate.describe(method) + ")")
          + diverged(units), cells(units));
    });
    return table;
  }

  /** What a reader of the table must know. */
  public List<String> notes() {
    StyleAlignment.Score score = results.get(Method.BASE).get(0).score();
    return List.of(
        String.format(Locale.ROOT, "%d updates of %d pairs for every method; mean ± standard deviation over the seeds %s.",
            settings.align.steps, settings.align.batch, settings.seeds),
        String.format(Locale.ROOT, "%d pictures for each seed, of the prompts of the test split, which neither training "
            + "nor search has seen; the Fréchet distance is taken in %d dimensions of the CLIP image embedding, against "
            + "the split's real pictures of the style.", score.images(), score.dimensions()),
        String.format(Locale.ROOT, "The style classifier, which knows nothing of CLIP, names the style of %.1f %% of the "
            + "split's real pictures.", 100 * test.classifierAccuracy()),
        "Learning rate and beta of each method have the smallest Fréchet distance of its candidates on the validation "
            + "split" + edges() + ". The implicit accuracy is that of the test split's pairs, one timestep and noise for "
            + "each; the base model's is one half.");
  }

  /** Says of which methods the best candidate has neighbours on one side only. */
  private String edges() {
    List<String> found = new ArrayList<>();
    chosen.forEach((method, candidate) -> {
      if (isEdge(candidate.lr(), settings.searchLr)) {
        found.add(method.title() + "'s learning rate");
      }
      if (method != Method.SFT && isEdge(candidate.beta(), settings.searchBeta(method))) {
        found.add(method.title() + "'s beta");
      }
    });
    return found.isEmpty() ? "" : " (at the edge of what was searched: " + String.join(", ", found) + ")";
  }

  private static boolean isEdge(double value, List<Double> grid) {
    return grid.size() > 1 && (grid.stream().allMatch(other -> other >= value)
        || grid.stream().allMatch(other -> other <= value));
  }

  void write(Map<Method, List<Unit>> units) throws IOException {
    String text = table().toMarkdown() + "\n" + String.join("\n", notes().stream().map(note -> "- " + note).toList());
    AtomicFiles.write(out().resolve("table.md"), text + "\n");
    AtomicFiles.write(out().resolve("comparison.json"), json().toPrettyString() + "\n");
    List<Sample> samples = samples(units);
    if (!samples.isEmpty()) {
      AtomicFiles.write(out().resolve("pictures.png"), grid(samples));
    }
    HtmlReport.write(out().resolve("comparison.html"), page(samples));
  }

  private Page page(List<Sample> samples) {
    List<Block> table = new ArrayList<>(List.of(new Block.Table(table())));
    notes().forEach(note -> table.add(new Block.Text(note)));
    List<Block> search = new ArrayList<>();
    searched.forEach((method, units) -> {
      if (!units.isEmpty()) {
        search.add(new Block.Table(searchTable(method, units)));
      }
    });
    return new Page("Comparison towards the style '" + settings.align.style + "'",
        settings.align.steps + " updates, seeds " + settings.seeds, List.of(), List.of(
        new Page.Section("Test split", table),
        new Page.Section("The same prompts and noise", samples.isEmpty() ? List.of()
            : List.of(new Block.Samples(samples))),
        new Page.Section("Search on the validation split", search),
        new Page.Section("Shared settings", List.of(new Block.Settings(sharedSettings())))));
  }

  private ComparisonTable searchTable(Method method, List<UnitResult> units) {
    ComparisonTable table = StyleTable.of(method.title(), settings.align.style, ACCURACY);
    for (UnitResult unit : units) {
      table.row(unit.candidate().describe(method) + diverged(List.of(unit)), cells(List.of(unit)));
    }
    return table;
  }

  private static String diverged(List<UnitResult> units) {
    long count = units.stream().filter(unit -> !unit.measured()).count();
    return count == 0 ? "" : count == units.size() ? " (diverged)" : ", " + count + " of " + units.size() + " diverged";
  }

  /** Of the units that did not diverge. */
  private static Spread[] cells(List<UnitResult> units) {
    List<UnitResult> measured = units.stream().filter(UnitResult::measured).toList();
    if (measured.isEmpty()) {
      return new Spread[StyleTable.COLUMNS + 1];
    }
    double[] accuracies = measured.stream().filter(unit -> unit.implicitAccuracy() != null)
        .mapToDouble(unit -> 100 * unit.implicitAccuracy()).toArray();
    return StyleTable.cells(measured.stream().map(UnitResult::score).toList(),
        accuracies.length == 0 ? null : Spread.of(accuracies));
  }

  private List<Sample> samples(Map<Method, List<Unit>> units) throws IOException {
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < Math.min(settings.align.samples, test.prompts().size()); i++) {
      Map<String, byte[]> pictures = new LinkedHashMap<>();
      for (Map.Entry<Method, List<Unit>> entry : units.entrySet()) {
        Unit first = firstMeasured(entry.getValue());
        if (first != null) {
          pictures.put(entry.getKey().title(), Files.readAllBytes(first.picture(i)));
        }
      }
      samples.add(new Sample(test.prompts().get(i), pictures));
    }
    return samples;
  }

  private static Unit firstMeasured(List<Unit> units) throws IOException {
    for (Unit unit : units) {
      if (unit.result().orElseThrow().measured()) {
        return unit;
      }
    }
    return null;
  }

  private static byte[] grid(List<Sample> samples) throws IOException {
    List<List<RgbImage>> rows = new ArrayList<>();
    for (Sample sample : samples) {
      List<RgbImage> row = new ArrayList<>();
      for (Map.Entry<String, byte[]> picture : sample.pngs().entrySet()) {
        row.add(ImageGrid.magnifySmall(ImageCodec.decode(picture.getValue(), picture.getKey())));
      }
      rows.add(row);
    }
    return ImageCodec.encodePng(ImageGrid.compose(rows, List.copyOf(samples.get(0).pngs().keySet()),
        samples.stream().map(Sample::prompt).toList()));
  }

  private ObjectNode json() {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode json = mapper.createObjectNode();
    json.set("settings", mapper.valueToTree(sharedSettings()));
    json.set("hashes", mapper.valueToTree(hashes));
    json.put("classifier_accuracy", test.classifierAccuracy());
    json.set("chosen", mapper.valueToTree(chosen));
    json.set("search", mapper.valueToTree(searched));
    json.set("results", mapper.valueToTree(results));
    return json;
  }

  /** All settings but those that each unit has for itself. */
  private Map<String, String> sharedSettings() {
    Map<String, String> values = RunManifest.settings(settings.align);
    List.of("objective", "lr", "beta", "seed", "resume", "data").forEach(values::remove);
    values.put("seeds", settings.seeds.toString());
    values.put("searchLr", settings.searchLr.toString());
    values.put("searchBeta", settings.searchBeta.toString());
    values.put("searchSteps", settings.searchSteps.toString());
    values.put("searchSeed", String.valueOf(settings.searchSeed));
    return values;
  }
}
