package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.data.LoadReport;
import org.diffusionrpo.rpo.data.PairSource;
import org.diffusionrpo.rpo.data.ParquetPairWriter;
import org.diffusionrpo.rpo.data.PreferencePair;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImages;
import org.diffusionrpo.rpo.data.StyledPairs;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code drpo data}: looks at preference data and converts it. */
@Command(name = "data", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    synopsisSubcommandLabel = "COMMAND", description = "Look at preference data: the bundled styles or your own.",
    footer = {"", "Examples:",
        "  drpo data info",
        "  drpo data validate pickapic/",
        "  drpo data export --style fluent --split train --out fluent.parquet"})
final class DataCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  @Command(name = "info", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
      description = "Count the bundled pictures by style and split.", footer = {"", "Example:", "  drpo data info"})
  int info() throws IOException {
    StyledImages images = StyledImages.load(Bundled.require(Bundled.data()));
    PrintWriter out = spec.commandLine().getOut();
    out.printf("%s: %d pictures%n%n%-12s", Bundled.data(), images.all().size(), "style");
    for (Split split : Split.values()) {
      out.printf("%12s", split.label());
    }
    out.println();
    for (String style : images.styles()) {
      out.printf("%-12s", style);
      for (Split split : Split.values()) {
        out.printf("%12d", images.of(split, style).size());
      }
      out.println();
    }
    out.flush();
    return 0;
  }

  @Command(name = "validate", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
      description = "Read preference pairs as align would and say what it would leave out. Exit code 2 if nothing is "
          + "usable.", footer = {"", "Examples:", "  drpo data validate pairs.jsonl", "  drpo data validate pickapic/"})
  int validate(@Parameters(paramLabel = "PATH", description = "Parquet file or folder of shards, .jsonl, .csv, .tsv, or "
      + "a folder with winners/ and losers/.") Path path) throws IOException {
    LoadReport report = new LoadReport();
    PairSource.open(path).read(pair -> true, report);
    if (report.pairs() == 0) {
      throw new IOException(path + ": no usable pair: " + report);
    }
    spec.commandLine().getOut().println(path + ": " + report);
    return 0;
  }

  @Command(name = "export", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
      description = "Write preference pairs of the bundled styles as Parquet in the schema of Pick-a-Pic.",
      footer = {"", "Example:", "  drpo data export --style sketch --split train --out sketch.parquet"})
  int export(
      @Option(names = "--style", defaultValue = "sketch", paramLabel = "NAME",
          description = "Preferred style (default: ${DEFAULT-VALUE}).") String style,
      @Option(names = "--split", defaultValue = "train", paramLabel = "NAME",
          description = "train, validation or test (default: ${DEFAULT-VALUE}).") Split split,
      @Option(names = "--losers", defaultValue = "4",
          description = "Pairs per concept, each with another losing style (default: ${DEFAULT-VALUE}).") int losers,
      @Option(names = "--seed", defaultValue = "1", description = "Draws the losing styles (default: ${DEFAULT-VALUE}).")
          long seed,
      @Option(names = "--out", required = true, paramLabel = "FILE", description = "The Parquet file.") Path file)
      throws IOException {
    if (Files.isDirectory(file)) {
      throw new IllegalArgumentException("--out " + file + ": is a folder; expected the name of a Parquet file");
    }
    StyledImages images = StyledImages.load(Bundled.require(Bundled.data()));
    List<PreferencePair> pairs = StyledPairs.form(images, split, style, losers, seed);
    try (ParquetPairWriter writer = new ParquetPairWriter(file)) {
      for (PreferencePair pair : pairs) {
        writer.accept(pair);
      }
    }
    spec.commandLine().getOut().println("wrote " + pairs.size() + " pairs to " + file);
    return 0;
  }
}
