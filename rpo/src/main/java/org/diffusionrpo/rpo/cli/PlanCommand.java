package org.diffusionrpo.rpo.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.Counts;
import org.diffusionrpo.rpo.align.DryRun;
import org.diffusionrpo.rpo.plan.Advice;
import org.diffusionrpo.rpo.plan.MachineRates;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Backends;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code drpo plan}: what an alignment would take. */
@Command(name = "plan", mixinStandardHelpOptions = true, versionProvider = Version.class, usageHelpWidth = 110,
    sortOptions = false, description = {"Say how much memory and time drpo align takes with the same options, in Java's "
        + "heap and as a process, and which options make it fit. Reads settings and headers, never the weights, and "
        + "writes nothing.",
        "Exit code 1 if the run does not fit into Java's heap, or into the GPU's memory where it runs on one."},
    footer = {"", "Examples:",
        "  drpo plan",
        "  drpo plan --model stable-diffusion-v1-5 --data pickapic/ --clip clip-vit-large --batch 64 --micro-batch 2",
        "  drpo plan --model sd15.safetensors --tokenizer tokenizer/ --objective dpo --evaluate 0 --lora 8",
        "  DRPO_HEAP=12g drpo plan --config align.yaml"})
final class PlanCommand implements Callable<Integer> {
  /** It does not fit. */
  static final int TOO_LARGE = 1;

  @Spec private CommandSpec spec;

  @Mixin private AlignSettings settings = new AlignSettings();

  @Option(names = "--config", paramLabel = "FILE", description = "YAML file with options, as of align.")
  private Path config;

  @Override
  public Integer call() throws IOException {
    if (config != null) {
      ConfigFile.apply(config, settings, spec.commandLine().getParseResult());
    }
    Counts counts = DryRun.of(settings);
    AlignSettings other = settings.copy();
    other.gradientCheckpointing = !settings.gradientCheckpointing;
    long heap = Runtime.getRuntime().maxMemory();
    PrintWriter out = spec.commandLine().getOut();
    PlanTable table = new PlanTable(out, counts);
    boolean fits;
    try (Backend backend = Backends.open(settings.backend, settings.precision, line -> {})) {
      table.memory(DryRun.of(other).part(Counts.Part.ACTIVATIONS));
      long free = backend.deviceMemory();
      if (free > 0) {
        fits = PlanTable.fitsDevice(counts, free);
        table.deviceVerdict(free, fits ? null
            : Advice.of(settings, changed -> PlanTable.fitsDevice(changed, free)));
      } else {
        fits = PlanTable.fits(counts, heap);
        table.verdict(heap, Machine.physicalMemory(), fits ? null
            : Advice.of(settings, changed -> PlanTable.fits(changed, heap)));
      }
      if (fits || free == 0) { // on a full GPU there is no room to measure
        table.time(MachineRates.measure(backend, counts.loads().get(Counts.Phase.TRAINING).work()));
      }
    }
    out.flush();
    return fits ? 0 : TOO_LARGE;
  }
}
