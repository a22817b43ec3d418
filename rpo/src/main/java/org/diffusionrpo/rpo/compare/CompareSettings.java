package org.diffusionrpo.rpo.compare;

import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.loss.DiffusionRpo;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * What a comparison depends on. A learning rate or beta in {@link #align} replaces the grid of the search; its
 * objective, seed and data are those of each unit and not read.
 */
public final class CompareSettings {
  @Mixin
  public AlignSettings align = new AlignSettings();

  @Option(names = "--seeds", paramLabel = "SEED", split = ",", description = "Seeds of the final runs (default: 1,2,3).")
  public List<Long> seeds = List.of(1L, 2L, 3L);

  @Option(names = "--search-lr", paramLabel = "RATE", split = ",", description = "Learning rates that the search tries "
      + "for each method (default: 3e-5,1e-4,3e-4).")
  public List<Double> searchLr = List.of(3e-5, 1e-4, 3e-4);

  @Option(names = "--search-beta", paramLabel = "BETA", split = ",", description = "Betas that the search tries for dpo; "
      + "for rpo, whose weights share one logit's strength among a row of the contrast batch, each times that batch "
      + "(default: 1000,4000,16000).")
  public List<Double> searchBeta = List.of(1000.0, 4000.0, 16_000.0);

  @Option(names = "--search-steps", paramLabel = "STEPS", description = "Updates of each run of the search (default: as "
      + "--steps).")
  public Integer searchSteps;

  @Option(names = "--search-seed", paramLabel = "SEED", description = "Seed of the search (default: ${DEFAULT-VALUE}).")
  public long searchSeed = 0;

  @Option(names = "--quick", description = "A tiny comparison that only shows that everything works: one seed, no search, "
      + "two updates of two pairs.")
  public boolean quick;

  /** Fills what was left open, checks every value, and returns this. */
  public CompareSettings complete() {
    if (quick) {
      makeQuick();
    }
    align.out = align.out == null ? Path.of("runs", quick ? "compare-quick" : "compare") : align.out;
    align.copy().complete();
    require(align.data == null, "--data " + align.data + ": a comparison needs the styles of the bundled data");
    require(align.evaluate > 0, "--evaluate 0: a comparison without measurements");
    require(!seeds.isEmpty() && seeds.stream().distinct().count() == seeds.size(),
        "--seeds " + seeds + ": expected different numbers");
    searchLr = align.lr == null ? searchLr : List.of(align.lr);
    searchBeta = align.beta == null ? searchBeta : List.of(align.beta);
    searchSteps = searchSteps == null ? Integer.valueOf(align.steps) : searchSteps;
    require(searchSteps >= 1, "--search-steps " + searchSteps + ": expected at least 1");
    requirePositive("--search-lr", searchLr);
    requirePositive("--search-beta", searchBeta);
    return this;
  }

  /** Betas that the search tries: RPO's act on logits that weights of sum 1 divide, if they stand inside. */
  List<Double> searchBeta(Method method) {
    if (method != Method.RPO || align.weighting != DiffusionRpo.Weighting.INSIDE || align.beta != null) {
      return searchBeta;
    }
    int contrast = align.contrast == null ? align.batch : align.contrast;
    return searchBeta.stream().map(beta -> beta * contrast).toList();
  }

  /** Settings of one training. */
  AlignSettings unit(Method method, Candidate candidate, long seed, int steps) {
    AlignSettings settings = align.copy();
    settings.objective = method.objective() == null ? settings.objective : method.objective();
    settings.lr = candidate.lr();
    settings.beta = candidate.beta();
    settings.seed = seed;
    settings.steps = steps;
    return settings.complete();
  }

  private void makeQuick() {
    seeds = List.of(seeds.get(0));
    searchLr = searchLr.subList(0, 1);
    searchBeta = searchBeta.subList(0, 1);
    align.steps = 2;
    align.batch = 2;
    align.contrast = 2;
    align.limit = 16;
    align.evaluate = 8;
    align.samples = Math.min(align.samples, 4);
    align.sampleSteps = 2;
  }

  private static void requirePositive(String option, List<Double> values) {
    require(!values.isEmpty() && values.stream().allMatch(value -> value > 0 && Double.isFinite(value)),
        option + " " + values + ": expected numbers above 0");
  }

  private static void require(boolean ok, String fault) {
    if (!ok) {
      throw new IllegalArgumentException(fault);
    }
  }
}
