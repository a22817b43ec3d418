package org.diffusionrpo.rpo.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.align.ModelSettings;
import org.diffusionrpo.rpo.align.RunManifest;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;

/**
 * Base model, SFT, Diffusion-DPO and Diffusion-RPO at equal numbers of updates.
 * <pre>
 *   search  every candidate of every method, one seed, measured on the validation split -> learning rate and beta
 *   result  the chosen candidates, all seeds, measured on the test split, which the search never sees -> table
 * </pre>
 * Each unit of work writes its result last; calling again with the same settings continues where it stopped.
 */
public final class Comparison {
  private final CompareSettings settings;
  private final CompareListener listener;
  private final Workbench.Inputs inputs;
  private final Map<String, String> hashes;
  /** Units of each method, search and result together. */
  private final Map<Method, Integer> planned = new EnumMap<>(Method.class);
  private final int total;
  private final Map<Unit, UnitResult> finished = new LinkedHashMap<>();

  private Comparison(CompareSettings settings, CompareListener listener) throws IOException {
    this.settings = settings;
    this.listener = listener;
    Path model = settings.align.modelPath();
    Path clip = settings.align.clip != null ? settings.align.clip
        : settings.align.location(model).open().clip().orElse(null);
    if (clip == null) {
      throw new IllegalArgumentException(model + " has no clip/ beside it: name one with --clip");
    }
    this.inputs = new Workbench.Inputs(
        model, clip, Bundled.require(Bundled.data()), Bundled.require(Bundled.styleClassifier()));
    this.hashes = hashes(inputs, settings.align);
    for (Method method : Method.values()) {
      int searched = method == Method.BASE ? 0 : searchUnits(method).size();
      planned.put(method, searched + settings.seeds.size());
    }
    this.total = planned.values().stream().mapToInt(Integer::intValue).sum();
  }

  /**
   * Runs what is not finished yet.
   *
   * @return the report; empty when the listener cancelled
   * @throws IllegalArgumentException for a setting that cannot be
   */
  public static Optional<CompareReport> run(CompareSettings settings, CompareListener listener) throws IOException {
    return new Comparison(settings.complete(), listener).run();
  }

  /** One line for each unit that a run would make or has finished; nothing is run or written. */
  public static List<String> plan(CompareSettings settings) throws IOException {
    Comparison comparison = new Comparison(settings.complete(), CompareListener.SILENT);
    return comparison.plan();
  }

  private Optional<CompareReport> run() throws IOException {
    Files.createDirectories(settings.align.out);
    try (Backend backend = Backends.open(settings.align.backend, settings.align.precision, listener::onPhase);
        Workbench bench = new Workbench(backend, settings, inputs, listener)) {
      Map<Method, Candidate> chosen = new EnumMap<>(Method.class);
      Map<Method, List<UnitResult>> searched = new EnumMap<>(Method.class);
      for (Method method : Method.TRAINED) {
        List<UnitResult> results = runAll(searchUnits(method), bench);
        if (listener.cancelled()) {
          return Optional.empty();
        }
        searched.put(method, results);
        chosen.put(method, Search.best(method, results, Candidate.of(method, settings)));
      }
      Map<Method, List<Unit>> units = new EnumMap<>(Method.class);
      for (Method method : Method.values()) {
        List<Unit> ofMethod = resultUnits(method, chosen.get(method));
        units.put(method, ofMethod);
        runAll(ofMethod, bench);
        if (listener.cancelled()) {
          return Optional.empty();
        }
      }
      CompareReport report =
          new CompareReport(settings, hashes, chosen, searched, results(units), bench.heldOut(Split.TEST));
      report.write(units);
      return Optional.of(report);
    }
  }

  /** The results in order; fewer than units when the listener cancelled. */
  private List<UnitResult> runAll(List<Unit> units, Workbench bench) throws IOException {
    List<UnitResult> results = new ArrayList<>();
    for (Unit unit : units) {
      Optional<UnitResult> known = unit.result();
      if (known.isEmpty()) {
        listener.onUnit(unit.name(), finished.size(), total, Estimate.secondsLeft(finished.values(), planned));
        known = Optional.ofNullable(bench.run(unit));
      }
      if (known.isEmpty()) {
        return results;
      }
      finished.put(unit, known.get());
      results.add(known.get());
    }
    return results;
  }

  private static Map<Method, List<UnitResult>> results(Map<Method, List<Unit>> units) throws IOException {
    Map<Method, List<UnitResult>> results = new EnumMap<>(Method.class);
    for (Map.Entry<Method, List<Unit>> entry : units.entrySet()) {
      List<UnitResult> ofMethod = new ArrayList<>();
      for (Unit unit : entry.getValue()) {
        ofMethod.add(unit.result().orElseThrow());
      }
      results.put(entry.getKey(), ofMethod);
    }
    return results;
  }

  /** None where there is nothing to choose. */
  private List<Unit> searchUnits(Method method) {
    List<Candidate> candidates = Candidate.of(method, settings);
    return candidates.size() == 1 ? List.of() : candidates.stream()
        .map(candidate -> unit(method, candidate, Split.VALIDATION, settings.searchSeed, settings.searchSteps)).toList();
  }

  private List<Unit> resultUnits(Method method, Candidate chosen) {
    return settings.seeds.stream()
        .map(seed -> unit(method, chosen, Split.TEST, seed, settings.align.steps)).toList();
  }

  private Unit unit(Method method, Candidate candidate, Split split, long seed, int steps) {
    Candidate values = candidate == null ? new Candidate(settings.searchLr.get(0), 1) : candidate;
    return Unit.of(method, candidate, split, settings.unit(method, values, seed, steps), hashes.toString());
  }

  private List<String> plan() throws IOException {
    List<String> lines = new ArrayList<>();
    List<UnitResult> known = new ArrayList<>();
    for (Method method : Method.TRAINED) {
      for (Unit unit : searchUnits(method)) {
        unit.result().ifPresent(known::add);
        lines.add(unit.name() + (unit.result().isPresent() ? "  finished" : ""));
      }
    }
    for (Method method : Method.values()) {
      List<Candidate> candidates = method == Method.BASE ? List.of() : Candidate.of(method, settings);
      if (candidates.size() > 1) {
        lines.add("result/" + method.label() + "  seeds " + settings.seeds + ", with what the search chooses");
      } else {
        for (Unit unit : resultUnits(method, candidates.isEmpty() ? null : candidates.get(0))) {
          unit.result().ifPresent(known::add);
          lines.add(unit.name() + (unit.result().isPresent() ? "  finished" : ""));
        }
      }
    }
    lines.add(total + " units, " + known.size() + " finished; " + Estimate.describe(known, planned));
    return lines;
  }

  private static Map<String, String> hashes(Workbench.Inputs inputs, ModelSettings parts) throws IOException {
    Map<String, String> hashes = new LinkedHashMap<>();
    hashes.put("model", RunManifest.hash(inputs.model()));
    if (parts.unet != null) {
      hashes.put("unet", RunManifest.hash(parts.unet));
    }
    if (parts.vae != null) {
      hashes.put("vae", RunManifest.hash(parts.vae));
    }
    hashes.put("clip", RunManifest.hash(inputs.clip()));
    hashes.put("data", RunManifest.hash(inputs.data()));
    hashes.put("classifier", RunManifest.hash(inputs.classifier()));
    return hashes;
  }
}
