package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.CacheFill;
import org.diffusionrpo.tensor.Storage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code drpo encode}: fills a cache ahead of training. */
@Command(name = "encode", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    sortOptions = false, description = {"Encode preference pairs into a cache that align reads with the same options.",
        "An interrupted encode goes on with the same command."},
    footer = {"", "Examples:",
        "  drpo encode --model stable-diffusion-v1-5 --data pickapic/ --clip clip-vit-large --cache cache",
        "  drpo align --model stable-diffusion-v1-5 --data pickapic/ --clip clip-vit-large --cache cache"})
final class EncodeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  private final AlignSettings settings = new AlignSettings();

  @Option(names = "--model", paramLabel = "DIR", description = "As of align.")
  void model(Path path) {
    settings.model = path;
  }

  @Option(names = "--vae", paramLabel = "PATH", description = "As of align.")
  void vae(Path path) {
    settings.vae = path;
  }

  @Option(names = "--tokenizer", paramLabel = "DIR", description = "As of align.")
  void tokenizer(Path path) {
    settings.tokenizer = path;
  }

  @Option(names = "--model-config", paramLabel = "DIR", description = "As of align.")
  void modelConfig(Path path) {
    settings.modelConfig = path;
  }

  @Option(names = "--variant", paramLabel = "NAME", description = "As of align.")
  void variant(String name) {
    settings.variant = name;
  }

  @Option(names = "--storage", paramLabel = "TYPE", description = "As of align.")
  void storage(Storage type) {
    settings.storage = type;
  }

  @Option(names = "--data", paramLabel = "PATH", description = "As of align.")
  void data(Path path) {
    settings.data = path;
  }

  @Option(names = "--cache", paramLabel = "DIR", required = true, description = "Folder to fill; made if need be.")
  void cache(Path path) {
    settings.cache = path;
  }

  @Option(names = "--objective", description = "Of the training to come: only rpo reads CLIP embeddings (default: rpo).")
  void objective(AlignSettings.Objective objective) {
    settings.objective = objective;
  }

  @Option(names = "--clip", paramLabel = "DIR", description = "As of align.")
  void clip(Path path) {
    settings.clip = path;
  }

  @Option(names = "--limit", paramLabel = "PAIRS", description = "As of align.")
  void limit(int pairs) {
    settings.limit = pairs;
  }

  @Option(names = "--flip", description = "Encode the mirrored pictures too, for align --flip.")
  void flip(boolean flip) {
    settings.flip = flip;
  }

  @Option(names = "--choice-model", paramLabel = "NAME", description = "Score the pictures for AI feedback: clip.")
  void choiceModel(AlignSettings.ChoiceModel model) {
    settings.choiceModel = model;
  }

  @Option(names = "--choice-clip", paramLabel = "DIR", description = "As of align.")
  void choiceClip(Path path) {
    settings.choiceClip = path;
  }

  @Option(names = "--backend", description = "As of align.")
  void backend(String name) {
    settings.backend = name;
  }

  @Override
  public Integer call() throws IOException {
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
