package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.diffusionrpo.diffusion.io.ModelFolder;
import org.diffusionrpo.diffusion.train.TrainListener;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.data.Split;
import org.diffusionrpo.rpo.data.StyledImages;
import org.diffusionrpo.rpo.eval.StyleClassifier;
import org.diffusionrpo.rpo.pretrain.ClipPretraining;
import org.diffusionrpo.rpo.pretrain.PretrainOptions;
import org.diffusionrpo.rpo.pretrain.UNetPretraining;
import org.diffusionrpo.rpo.pretrain.VaePretraining;
import org.diffusionrpo.tensor.Backend;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code drpo pretrain}: how the bundled model was made. */
@Command(name = "pretrain", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    synopsisSubcommandLabel = "vae|clip|unet|style",
    description = "Make the bundled model again, part by part: vae and clip, then unet. Interrupted, the same command "
        + "continues. style trains the judge of styles.",
    footer = {"", "Examples:",
        "  drpo pretrain vae",
        "  drpo pretrain clip",
        "  drpo pretrain unet --out my-model",
        "  drpo pretrain style"},
    subcommands = {PretrainCommand.Vae.class, PretrainCommand.ClipStage.class, PretrainCommand.UNet.class,
        PretrainCommand.Style.class})
final class PretrainCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** The training of one part; false when cancelled. */
  private interface Stage {
    boolean train(Backend backend, PretrainOptions options, TrainListener listener) throws IOException;
  }

  private static int run(CommandSpec spec, StageOptions options, String name, String title, Stage stage, Path... made)
      throws IOException {
    PretrainOptions checked = options.of(name);
    boolean done;
    try (Backend backend = options.backend.open();
        RunProgress progress = new RunProgress(spec.commandLine().getErr())) {
      progress.onPhase("Training the " + title);
      done = stage.train(backend, checked, progress);
    }
    if (!done) {
      spec.commandLine().getErr().println("interrupted; the same command continues");
      return Interruption.EXIT_CODE;
    }
    for (Path path : made) {
      spec.commandLine().getOut().println("wrote " + path);
    }
    return 0;
  }

  /** {@code drpo pretrain vae}. */
  @Command(name = "vae", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
      description = "Train the autoencoder.", footer = {"", "Example:", "  drpo pretrain vae"})
  static final class Vae implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private StageOptions options = new StageOptions(1600, 16, 1e-3, 200, 0, 0.999, 200);

    @Option(names = "--kl", paramLabel = "WEIGHT", description = "Weight of the KL term (default: ${DEFAULT-VALUE}).")
    private double kl = 0.01;

    @Override
    public Integer call() throws IOException {
      return run(spec, options, "vae", "autoencoder",
          (backend, checked, listener) -> VaePretraining.run(backend, checked, kl, listener),
          options.parts().resolve(ModelFolder.VAE));
    }
  }

  /** {@code drpo pretrain clip}. */
  @Command(name = "clip", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
      description = "Train CLIP and its vocabulary.", footer = {"", "Example:", "  drpo pretrain clip"})
  static final class ClipStage implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private StageOptions options = new StageOptions(2200, 128, 1e-3, 100, 0.1, 0.99, 200);

    @Override
    public Integer call() throws IOException {
      return run(spec, options, "clip", "CLIP", ClipPretraining::run,
          options.parts().resolve(ModelFolder.CLIP), options.parts().resolve(ModelFolder.TEXT_ENCODER),
          options.parts().resolve(ModelFolder.TOKENIZER));
    }
  }

  /** {@code drpo pretrain unet}. */
  @Command(name = "unet", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
      description = "Train the UNet on the parts that vae and clip made, and put the whole model together.",
      footer = {"", "Example:", "  drpo pretrain unet --out my-model"})
  static final class UNet implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private StageOptions options = new StageOptions(15_000, 32, 5e-4, 500, 0.01, 0.9995, 500);

    @Option(names = "--init", paramLabel = "MODEL", description = "Start from the UNet of this model folder (default: "
        + "random weights).")
    private Path init;

    @Option(names = "--caption-dropout", paramLabel = "SHARE", description = "Share of pictures that see the empty prompt "
        + "(default: ${DEFAULT-VALUE}).")
    private double captionDropout = 0.1;

    @Option(names = "--snr-gamma", description = "Gamma of the Min-SNR weighting of the loss, Infinity for none "
        + "(default: ${DEFAULT-VALUE}).")
    private double snrGamma = 5;

    @Option(names = "--out", paramLabel = "DIR", description = "The finished model (default: model/ in --work).")
    private Path out;

    @Override
    public Integer call() throws IOException {
      Path model = out == null ? options.work.resolve("model") : out;
      for (String part : new String[] {ModelFolder.VAE, ModelFolder.CLIP}) {
        if (!Files.isDirectory(options.parts().resolve(part))) {
          throw new IllegalArgumentException(options.parts().resolve(part) + ": not there; run drpo pretrain " + part
              + " first, with the same --work");
        }
      }
      ModelFolder.requireWritable(model);
      if (init != null && !Files.isDirectory(init.resolve(ModelFolder.UNET))) {
        throw new IllegalArgumentException("--init " + init + ": has no folder " + ModelFolder.UNET);
      }
      return run(spec, options, "unet", "UNet", (backend, checked, listener) -> UNetPretraining.run(backend, checked,
          new UNetPretraining.Recipe(init, captionDropout, snrGamma), model, listener), model);
    }
  }

  /** {@code drpo pretrain style}. */
  @Command(name = "style", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
      description = "Train the style classifier on the train split and show its answers on the others.",
      footer = {"", "Example:", "  drpo pretrain style"})
  static final class Style implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(names = "--out", paramLabel = "FILE", description = "The classifier (default: that of the bundled data).")
    private Path out;

    @Override
    public Integer call() throws IOException {
      StyledImages images = StyledImages.load(Bundled.require(Bundled.data()));
      Path file = out == null ? Bundled.styleClassifier() : out;
      StyleClassifier classifier = StyleClassifier.train(StyleClassifier.examples(images, Split.TRAIN));
      classifier.save(file);
      PrintWriter console = spec.commandLine().getOut();
      console.println("wrote " + file);
      for (Split split : new Split[] {Split.VALIDATION, Split.TEST}) {
        print(console, split, classifier, classifier.evaluate(StyleClassifier.examples(images, split)));
      }
      return 0;
    }

    private static void print(PrintWriter console, Split split, StyleClassifier classifier,
        StyleClassifier.Evaluation evaluation) {
      console.printf(Locale.ROOT, "%n%s: right on %.1f %%%n%-12s", split.label(), 100 * evaluation.accuracy(), "style");
      classifier.styles().forEach(style -> console.printf("%10s", style));
      console.println("   <- answer");
      for (int s = 0; s < classifier.styles().size(); s++) {
        console.printf("%-12s", classifier.styles().get(s));
        for (int count : evaluation.confusion()[s]) {
          console.printf("%10d", count);
        }
        console.println();
      }
      console.flush();
    }
  }
}
