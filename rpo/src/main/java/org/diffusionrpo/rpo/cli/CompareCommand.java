package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.diffusionrpo.rpo.compare.CompareReport;
import org.diffusionrpo.rpo.compare.CompareSettings;
import org.diffusionrpo.rpo.compare.Comparison;
import picocli.CommandLine.Command;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code drpo compare}: which method aligns best. */
@Command(name = "compare", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    sortOptions = false, modelTransformer = CompareCommand.WithoutOptionsOfOneRun.class,
    description = "Compare the base model, SFT, Diffusion-DPO and Diffusion-RPO at equal numbers of updates: a search "
        + "for each method's learning rate and beta on the validation split, then all seeds on the test split. "
        + "Interrupted, the same command continues it. --lr and --beta replace the search.",
    footer = {"", "Examples:",
        "  drpo compare",
        "  drpo compare --dry-run",
        "  drpo compare --steps 200 --seeds 1,2,3,4,5 --search-lr 5e-5,1e-4 --out runs/five-seeds",
        "  drpo compare --tau 0.1 --timestep pair --out runs/tau-0.1",
        "  drpo compare --quick"})
final class CompareCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private CompareSettings settings = new CompareSettings();

  @Option(names = "--config", paramLabel = "FILE", description = "YAML file with options, named as here without the "
      + "dashes; those on the command line override it.")
  private Path config;

  @Option(names = "--dry-run", description = "Say what would be run, what is finished and how long the rest takes.")
  private boolean dryRun;

  /** Each unit of a comparison has these for itself. */
  static final class WithoutOptionsOfOneRun implements IModelTransformer {
    private static final List<String> OPTIONS = List.of("--objective", "--seed", "--data", "--save-dtype", "--resume",
        "--cache", "--stream", "--window", "--flip", "--crop", "--choice-model", "--choice-clip", "--lora",
        "--lora-alpha", "--lora-targets", "--lora-format");

    @Override
    public CommandSpec transform(CommandSpec spec) {
      OPTIONS.forEach(name -> spec.remove(spec.findOption(name)));
      return spec;
    }
  }

  @Override
  public Integer call() throws IOException {
    if (config != null) {
      ConfigFile.apply(config, settings, spec.commandLine().getParseResult());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (dryRun) {
      Comparison.plan(settings).forEach(out::println);
      return 0;
    }
    Optional<CompareReport> report;
    try (RunProgress progress = new RunProgress(spec.commandLine().getErr())) {
      report = Comparison.run(settings, progress);
    }
    if (report.isEmpty()) {
      spec.commandLine().getErr().println("interrupted; the same command continues");
      return Interruption.EXIT_CODE;
    }
    out.print(report.get().table().toText());
    out.println();
    report.get().notes().forEach(out::println);
    out.println();
    for (String file : List.of("table.md", "comparison.html", "comparison.json", "pictures.png")) {
      out.println(report.get().out().resolve(file));
    }
    return 0;
  }
}
