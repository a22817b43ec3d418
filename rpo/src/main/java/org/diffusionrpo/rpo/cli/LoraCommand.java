package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.diffusionrpo.diffusion.io.ModelFolder;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.lora.LoraFile;
import org.diffusionrpo.diffusion.lora.LoraFormat;
import org.diffusionrpo.diffusion.lora.LoraLayer;
import org.diffusionrpo.diffusion.lora.LoraModules;
import org.diffusionrpo.diffusion.lora.LoraReader;
import org.diffusionrpo.diffusion.lora.LoraWriter;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.NamedModelSettings;
import org.diffusionrpo.tensor.Backend;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code drpo lora}: files of low-rank adapters. */
@Command(name = "lora", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    synopsisSubcommandLabel = "COMMAND", description = "Look at LoRA files, convert them, and merge them into models.",
    footer = {"", "Examples:",
        "  drpo lora info style.safetensors",
        "  drpo lora convert runs/lora/lora/pytorch_lora_weights.safetensors style.safetensors --format kohya",
        "  drpo lora merge --model stable-diffusion-v1-5 --lora style.safetensors:0.8 --out styled"})
final class LoraCommand implements Runnable {
  private static final String ROW = "%-16s %8s %12s   %-10s %-10s %s%n";

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  @Command(name = "info", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
      description = "Show the ranks, alphas and layers of a LoRA.",
      footer = {"", "Example:", "  drpo lora info style.safetensors"})
  int info(@Parameters(paramLabel = "FILE", description = "LoRA file, or a folder of diffusers or PEFT with one.")
      Path path) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    try (LoraFile file = LoraFile.open(path)) {
      out.println(file.path());
      out.println();
      out.printf(ROW, "part", "layers", "parameters", "rank", "alpha", "targets");
      for (Map.Entry<String, LoraSummary> part : LoraSummary.of(file).entrySet()) {
        LoraSummary summary = part.getValue();
        out.printf(ROW, part.getKey(), summary.modules(), ModelSummary.count(summary.parameters()),
            list(summary.ranks()), list(summary.alphas()), list(summary.targets()));
      }
    }
    out.flush();
    return 0;
  }

  @Command(name = "convert", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
      description = {"Write a LoRA with the names of another program. "
          + "The values stay as they are.", "Of the model, which may be any of the kind that the LoRA is for, no weights are "
          + "read."},
      footer = {"", "Example:", "  drpo lora convert style.safetensors style-peft.safetensors --format peft "
          + "--model stable-diffusion-v1-5"})
  int convert(
      @Parameters(index = "0", paramLabel = "IN", description = "LoRA file of any supported kind.") Path in,
      @Parameters(index = "1", paramLabel = "OUT", description = "The file to write.") Path out,
      @Option(names = "--format", required = true, paramLabel = "NAME", description = "peft, diffusers or kohya.")
      LoraFormat format,
      @Mixin NamedModelSettings model) throws IOException {
    if (Files.isDirectory(out)) {
      throw new IllegalArgumentException(out + ": is a folder; expected the name of a file");
    }
    LoraModules modules = LoraModules.of(model.open());
    List<LoraLayer> layers = LoraReader.read(in, modules);
    if (out.toAbsolutePath().getParent() != null) {
      Files.createDirectories(out.toAbsolutePath().getParent());
    }
    LoraWriter.write(out, layers, format, modules);
    spec.commandLine().getOut().println("wrote " + out + ", " + layers.size() + " layers");
    return 0;
  }

  @Command(name = "merge", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
      description = "Add LoRAs to the weights of a model and write it as a model folder.",
      footer = {"", "Examples:", "  drpo lora merge --lora style.safetensors:0.8 --lora light.safetensors --out styled",
          "  drpo lora merge --model sd15.safetensors --tokenizer tokenizer/ --lora style.safetensors --out styled"})
  int merge(
      @Mixin NamedModelSettings model,
      @Option(names = "--lora", required = true, paramLabel = LoraArgument.LABEL,
          converter = LoraArgument.Converter.class, description = "A LoRA and its strength (default: 1); repeatable.")
      List<LoraArgument> loras,
      @Option(names = "--out", required = true, paramLabel = "DIR", description = "The new model folder.") Path out,
      @Option(names = "--dtype", defaultValue = "f16", paramLabel = "NAME",
          description = "Type of the weights: f16, bf16 or f32 (default: ${DEFAULT-VALUE}).")
          AlignSettings.SaveDtype dtype,
      @Mixin BackendOptions backendOptions) throws IOException {
    ModelFolder.requireWritable(out);
    try (Backend backend = backendOptions.open();
        StableDiffusion diffusion = StableDiffusion.load(model.open(), backend, model.asStored())) {
      LoraArgument.merge(loras, diffusion);
      diffusion.save(out, dtype.dtype());
    }
    spec.commandLine().getOut().println("wrote " + out);
    return 0;
  }

  private static String list(Set<?> values) {
    return values.stream().map(value -> value instanceof Double number ? new DecimalFormat("0.###",
        DecimalFormatSymbols.getInstance(Locale.ROOT)).format(number) : value.toString())
        .collect(Collectors.joining(", "));
  }
}
