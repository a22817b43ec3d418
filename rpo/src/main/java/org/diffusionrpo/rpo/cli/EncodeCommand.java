package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.CacheFill;
import picocli.CommandLine.Command;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code drpo encode}: fills a cache ahead of training. */
@Command(name = "encode", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    sortOptions = false, modelTransformer = EncodeCommand.WithoutOptionsOfTraining.class,
    description = {"Encode preference pairs into the folder --cache, which align reads with the same options.",
        "An interrupted encode goes on with the same command."},
    footer = {"", "Examples:",
        "  drpo encode --model stable-diffusion-v1-5 --data pickapic/ --clip clip-vit-large --cache cache",
        "  drpo align --model stable-diffusion-v1-5 --data pickapic/ --clip clip-vit-large --cache cache",
        "  drpo encode --config align.yaml --cache cache"})
final class EncodeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private AlignSettings settings = new AlignSettings();

  @Option(names = "--config", paramLabel = "FILE", description = "YAML file with options of align, those of the "
      + "training included, which change nothing here; the command line overrides it.")
  private Path config;

  /** What is encoded depends on none of these. */
  static final class WithoutOptionsOfTraining implements IModelTransformer {
    private static final List<String> OPTIONS = List.of("--steps", "--batch", "--contrast", "--micro-batch", "--lora",
        "--lora-alpha", "--lora-targets", "--lora-format", "--lr", "--lr-schedule", "--warmup", "--optimizer",
        "--weight-decay", "--max-grad-norm", "--ema", "--beta", "--tau", "--lambda", "--weighting", "--embedding",
        "--timestep", "--caption-dropout", "--stream", "--window", "--crop", "--gradient-checkpointing",
        "--checkpoint-every", "--samples", "--evaluate", "--sample-steps", "--guidance", "--out", "--save-dtype",
        "--resume");

    @Override
    public CommandSpec transform(CommandSpec spec) {
      OPTIONS.forEach(name -> spec.remove(spec.findOption(name)));
      return spec;
    }
  }

  @Override
  public Integer call() throws IOException {
    if (config != null) {
      ConfigFile.applyAll(config, settings, spec.commandLine().getParseResult());
    }
    Optional<CacheFill.Result> result;
    try (RunProgress progress = new RunProgress(spec.commandLine().getErr())) {
      result = CacheFill.run(settings, progress);
    }
    if (result.isEmpty()) {
      spec.commandLine().getErr().println("interrupted; the same command continues, " + settings.cache
          + " keeps what was encoded");
      return Interruption.EXIT_CODE;
    }
    spec.commandLine().getOut().println(settings.cache + ": " + result.get().report());
    return 0;
  }
}
