package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.diffusionrpo.rpo.align.AlignResult;
import org.diffusionrpo.rpo.align.AlignRun;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.report.StyleTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code drpo align}: the main job. */
@Command(name = "align", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    sortOptions = false, description = "Align a model with preferences: Diffusion-RPO, Diffusion-DPO or SFT.",
    footer = {"", "Examples:",
        "  drpo align",
        "  drpo align --style fluent --steps 500 --out runs/fluent",
        "  drpo align --objective dpo --beta 2000 --lr 1e-4 --seed 7",
        "  drpo align --model stable-diffusion-v1-5 --data pickapic/ --clip clip-vit-large --batch 64 --micro-batch 2",
        "  drpo align --model sd15.safetensors --tokenizer tokenizer/ --data pairs.jsonl --weights uniform "
            + "--storage f16 --save-dtype bf16",
        "  drpo align --lora 8 --lora-targets attn-mlp --out runs/lora",
        "  drpo align --config align.yaml --steps 1000     (align.yaml: lines such as \"batch: 32\")",
        "  drpo align --out runs/fluent --style fluent --steps 1000 --resume"})
final class AlignCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private AlignSettings settings = new AlignSettings();

  @Option(names = "--config", paramLabel = "FILE", description = "YAML file with options, named as here without the "
      + "dashes; those on the command line override it.")
  private Path config;

  @Override
  public Integer call() throws IOException {
    if (config != null) {
      ConfigFile.apply(config, settings, spec.commandLine().getParseResult());
    }
    AlignResult result;
    try (RunProgress progress = new RunProgress(spec.commandLine().getErr())) {
      result = AlignRun.run(settings, progress);
    }
    if (!result.finished()) {
      spec.commandLine().getErr().println("interrupted after update " + result.steps() + " of " + settings.steps
          + "; the same command with --resume --out " + result.out() + " continues");
      return Interruption.EXIT_CODE;
    }
    print(result);
    return 0;
  }

  private void print(AlignResult result) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    out.println("model    " + result.model());
    if (settings.lora != null) {
      out.println("lora     " + result.lora());
    }
    if (Files.exists(result.samples())) {
      out.println("samples  " + result.samples());
    }
    out.println("report   " + result.report());
    out.println("cost     " + RunCost.describe(result.metrics()));
    if (result.after() != null) {
      out.println();
      out.print(StyleTable.of("model", settings.style)
          .row("before", StyleTable.cells(List.of(result.before())))
          .row("after", StyleTable.cells(List.of(result.after()))).toText());
    }
    out.flush();
  }
}
