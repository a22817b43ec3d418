package org.diffusionrpo.rpo.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.rpo.TinyHome;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.eval.StyleAlignment;
import org.diffusionrpo.rpo.loss.DiffusionRpo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
  @TempDir Path folder;
  private TinyHome home;

  @BeforeEach
  void makeHome() throws IOException {
    home = new TinyHome(folder.resolve("home"));
  }

  @AfterEach
  void leaveHome() {
    home.close();
  }

  @Test
  void stoppedComparisonContinuesToTheSameTable() throws IOException {
    String whole = Comparison.run(settings("whole"), CompareListener.SILENT).orElseThrow().table().toMarkdown();

    Recorder first = new Recorder(7);
    assertTrue(Comparison.run(settings("parts"), first).isEmpty());
    Recorder second = new Recorder(Integer.MAX_VALUE);
    Optional<CompareReport> report = Comparison.run(settings("parts"), second);
    assertEquals(whole, report.orElseThrow().table().toMarkdown());
    String interrupted = first.units.get(first.units.size() - 1);
    assertEquals(interrupted, second.units.get(0), "the unit that was stopped goes on");
    assertTrue(first.units.subList(0, first.units.size() - 1).stream().noneMatch(second.units::contains));
    assertTrue(second.phases.stream().anyMatch(phase -> phase.contains("continued after update")));

    Recorder third = new Recorder(Integer.MAX_VALUE);
    Comparison.run(settings("parts"), third);
    assertEquals(List.of(), third.units, "nothing is left to do");
    try (Stream<Path> files = Files.walk(folder.resolve("parts"))) {
      assertTrue(files.noneMatch(file -> file.endsWith("checkpoints")), "finished units keep no checkpoints");
    }
  }

  @Test
  void searchNeverTouchesTheTestSplit() throws IOException {
    home.damage(Split.TEST);
    Recorder recorder = new Recorder(Integer.MAX_VALUE);
    CompareSettings settings = settings("run");
    assertThrows(IOException.class, () -> Comparison.run(settings, recorder));
    // SFT has two learning rates; DPO and RPO have two and one beta.
    assertEquals(6, recorder.units.stream().filter(unit -> unit.startsWith("search/")).count());
    try (Stream<Path> units = Files.list(folder.resolve("run").resolve("search"))) {
      assertTrue(units.allMatch(unit -> Files.exists(unit.resolve("result.json"))));
    }
  }

  @Test
  void otherSettingsAreOtherUnits() throws IOException {
    CompareSettings settings = settings("run");
    List<String> before = Comparison.plan(settings);
    CompareSettings changed = settings("run");
    changed.align.tau = 0.25;
    List<String> after = Comparison.plan(changed);
    List<String> common = new ArrayList<>(before);
    common.retainAll(after);
    assertTrue(common.stream().noneMatch(line -> line.startsWith("search/rpo")), common.toString());
  }

  @Test
  void smallestFrechetDistanceIsChosenAndDivergedRunsAreNot() {
    Candidate a = new Candidate(1e-4, 1);
    Candidate b = new Candidate(3e-4, 1);
    Candidate c = new Candidate(1e-3, 1);
    List<UnitResult> results = List.of(result(a, 0.5), result(b, 0.25),
        new UnitResult(Method.DPO, c, 0, null, null, "diverged", 1));
    assertEquals(b, Search.best(Method.DPO, results, List.of(a, b, c)));
  }

  @Test
  void betasOfRpoGrowWithTheContrastBatchThatDividesThem() {
    CompareSettings settings = new CompareSettings();
    settings.searchBeta = List.of(500.0, 2000.0);
    settings.align.batch = 16;
    assertEquals(List.of(500.0, 2000.0), settings.searchBeta(Method.DPO));
    assertEquals(List.of(8000.0, 32000.0), settings.searchBeta(Method.RPO));
    settings.align.contrast = 4;
    assertEquals(List.of(2000.0, 8000.0), settings.searchBeta(Method.RPO));
    settings.align.weighting = DiffusionRpo.Weighting.OUTSIDE;
    assertEquals(List.of(500.0, 2000.0), settings.searchBeta(Method.RPO));
  }

  @Test
  void divergedSeedsAreToldAndTheOthersStillCompared() throws IOException {
    CompareSettings settings = settings("diverging");
    settings.searchLr = List.of(1e30);
    settings.align.steps = 30;
    settings.align.samples = 2;
    String table = Comparison.run(settings, CompareListener.SILENT).orElseThrow().table().toText();
    assertTrue(table.contains("(diverged)"), table);
    assertTrue(table.lines().anyMatch(line -> line.matches("base model +[0-9.]+ .*")), table);
  }

  @Test
  void timeLeftCountsEachMethodByItself() {
    Map<Method, Integer> planned = Map.of(Method.BASE, 1, Method.SFT, 2, Method.DPO, 3);
    List<UnitResult> none = List.of();
    assertTrue(Double.isNaN(Estimate.secondsLeft(none, planned)));
    UnitResult sft = new UnitResult(Method.SFT, new Candidate(1, 1), 0, null, null, "", 10);
    assertEquals(10 + 3 * 10 + 10, Estimate.secondsLeft(List.of(sft), planned));
    UnitResult dpo = new UnitResult(Method.DPO, new Candidate(1, 1), 0, null, null, "", 30);
    assertEquals(10 + 2 * 30 + 30, Estimate.secondsLeft(List.of(sft, dpo), planned));
  }

  @Test
  void numbersAreWrittenShortly() {
    assertEquals("1e-4", Candidate.number(1e-4));
    assertEquals("2000", Candidate.number(2000));
    assertEquals("0.05", Candidate.number(0.05));
    assertEquals("lr 3e-5, beta 500", new Candidate(3e-5, 500).describe(Method.RPO));
  }

  @Test
  void impossibleSettingsAreRefused() {
    CompareSettings settings = settings("run");
    settings.seeds = List.of(1L, 1L);
    assertThrows(IllegalArgumentException.class, settings::complete);
    settings.seeds = List.of(1L);
    settings.searchBeta = List.of(-1.0);
    assertThrows(IllegalArgumentException.class, settings::complete);
    assertFalse(Files.exists(folder.resolve("run")));
  }

  private CompareSettings settings(String out) {
    CompareSettings settings = new CompareSettings();
    settings.quick = true;
    settings.complete();
    settings.quick = false;
    settings.align.out = folder.resolve(out);
    settings.align.warmup = 0;
    settings.searchLr = List.of(1e-4, 3e-3);
    return settings;
  }

  private static UnitResult result(Candidate candidate, double frechet) {
    return new UnitResult(Method.DPO, candidate, 0, new StyleAlignment.Score(frechet, 0, 0, 8, 3), 0.5, null, 1);
  }

  /** Notes units and phases, and cancels after so many updates. */
  private static final class Recorder implements CompareListener {
    private final List<String> units = new ArrayList<>();
    private final List<String> phases = new ArrayList<>();
    private int updatesLeft;

    Recorder(int updates) {
      updatesLeft = updates;
    }

    @Override
    public void onUnit(String name, int finished, int total, double secondsLeft) {
      units.add(name);
    }

    @Override
    public void onPhase(String description) {
      phases.add(description);
    }

    @Override
    public void onStep(StepReport report) {
      updatesLeft--;
    }

    @Override
    public boolean cancelled() {
      return updatesLeft <= 0;
    }
  }
}
