package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.diffusionrpo.diffusion.clip.ClipTokenizer;
import org.diffusionrpo.diffusion.io.ModelFamily;
import org.diffusionrpo.diffusion.io.ModelSource;
import org.diffusionrpo.diffusion.schedule.SchedulerConfig;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.align.ModelSettings;
import org.diffusionrpo.tensor.io.TensorInfo;
import org.diffusionrpo.tensor.io.TensorSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code drpo info}: what a model consists of. */
@Command(name = "info", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    description = "Show the parts of a model: parameters, types, sizes. Reads headers only, never the weights.",
    footer = {"", "Examples:",
        "  drpo info rpo/model",
        "  drpo info stable-diffusion-v1-5 --variant fp16",
        "  drpo info sd15.safetensors --vae vae-ft-mse.safetensors",
        "  drpo info unet/diffusion_pytorch_model.safetensors --tensors"})
final class InfoCommand implements Callable<Integer> {
  private static final String ROW = "%-16s %-28s %8s %14s %10s   %s%n";

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", arity = "0..1",
      description = "Model folder, folder of one part, or .safetensors file (default: the bundled model).")
  private Path model = Bundled.model();

  @Mixin private ModelSettings settings = new ModelSettings();

  @Option(names = "--tensors", description = "List every tensor with its type and shape.")
  private boolean tensors;

  @Override
  public Integer call() throws IOException {
    List<ModelSummary.Part> parts = ModelSummary.parts(settings.location(model));
    PrintWriter out = spec.commandLine().getOut();
    out.println(model);
    out.println();
    out.printf(ROW, "part", "class", "tensors", "parameters", "size", "types");
    for (ModelSummary.Part part : parts) {
      out.printf(ROW, part.name(), part.description(), part.tensors().size(), ModelSummary.count(part.parameters()),
          ModelSummary.size(part.bytes()), part.types());
    }
    if (parts.size() > 1) {
      out.printf(ROW, "total", "", "",
          ModelSummary.count(parts.stream().mapToLong(ModelSummary.Part::parameters).sum()),
          ModelSummary.size(parts.stream().mapToLong(ModelSummary.Part::bytes).sum()), "");
      printSettings(out, settings.location(model).open());
    }
    if (Files.isRegularFile(model)) {
      printMetadata(out);
    }
    if (tensors) {
      parts.forEach(part -> printTensors(out, part));
    }
    return 0;
  }

  private void printSettings(PrintWriter out, ModelSource source) throws IOException {
    SchedulerConfig scheduler = source.loadScheduler().value();
    out.println();
    out.println("pipeline   " + source.pipelineClass());
    if (source.hasTokenizer()) {
      printTokenizer(out, "tokenizer", source.loadTokenizer());
      if (source.isXl()) {
        printTokenizer(out, "tokenizer_2", source.loadTokenizer2());
      }
    } else {
      out.println("tokenizer  none, name one with --tokenizer");
    }
    out.println("scheduler  " + scheduler.className() + ", " + scheduler.numTrainTimesteps() + " timesteps, predicts "
        + scheduler.predictionType().toString().toLowerCase(Locale.ROOT));
  }

  private static void printTokenizer(PrintWriter out, String name, ClipTokenizer tokenizer) {
    out.printf("%-10s %d tokens, prompts of up to %d%n", name, tokenizer.vocabularySize(), tokenizer.maxLength());
  }

  private void printMetadata(PrintWriter out) throws IOException {
    try (TensorSource file = TensorSource.open(model)) {
      out.println("content    " + ModelFamily.describe(file));
      for (Map.Entry<String, String> pair : file.metadata().entrySet()) {
        out.println("metadata   " + pair.getKey() + ": " + pair.getValue());
      }
    }
  }

  private static void printTensors(PrintWriter out, ModelSummary.Part part) {
    out.println();
    for (TensorInfo tensor : part.tensors()) {
      out.printf("%s  %-5s %s%n", part.name(), tensor.dtype(), tensor.name() + " " + tensor.shape());
    }
  }
}
