package org.diffusionrpo.rpo.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.Counts;
import org.diffusionrpo.rpo.align.Counts.Part;
import org.diffusionrpo.rpo.align.Counts.Phase;
import org.diffusionrpo.rpo.plan.Advice;
import org.diffusionrpo.rpo.plan.GpuMemory;
import org.diffusionrpo.rpo.plan.MachineRates;
import org.diffusionrpo.rpo.plan.ProcessMemory;
import org.diffusionrpo.tensor.counting.Work;

/** Prints what a run would take. */
final class PlanTable {
  /** Share of the heap that data can fill: the collector needs the rest to move and to collect. */
  private static final double USABLE = 0.8;

  private final PrintWriter out;
  private final Counts counts;
  private final AlignSettings settings;

  PlanTable(PrintWriter out, Counts counts) {
    this.out = out;
    this.counts = counts;
    this.settings = counts.settings();
  }

  static boolean fits(Counts counts, long heap) {
    return counts.needed() <= USABLE * heap;
  }

  /** Tensors are on the GPU; the heap holds pairs and what is copied. */
  static boolean fitsDevice(Counts counts, long free) {
    return GpuMemory.of(counts).fits(free);
  }

  /** @param otherwise bytes of activations with gradient checkpointing the other way */
  void memory(long otherwise) {
    boolean adapts = settings.lora != null;
    String frozen = "frozen, " + name(settings.storage);
    row("UNet", counts.part(Part.UNET), ModelSummary.count(counts.unetParameters()) + " parameters, "
        + (adapts ? frozen : "trained, f32"));
    row("reference UNet", counts.part(Part.REFERENCE), adapts ? "none: the UNet with its adapters off" : frozen);
    if (adapts) {
      row("adapters", counts.part(Part.ADAPTERS), "rank " + settings.lora + ", trained");
    }
    row("gradients", counts.part(Part.GRADIENTS), "");
    row("optimizer state", counts.part(Part.OPTIMIZER), name(settings.optimizer));
    if (settings.ema != null) {
      row("weight average", counts.part(Part.AVERAGE), "");
    }
    row("VAE", counts.part(Part.VAE), frozen);
    row("text encoders", counts.part(Part.TEXT_ENCODERS), frozen);
    if (counts.part(Part.CLIP) > 0) {
      row("CLIP", counts.part(Part.CLIP), "frozen, f32");
    }
    row("activations", counts.part(Part.ACTIVATIONS), String.format(Locale.ROOT, "%d pair%s at once; %s %s",
        microBatch(), microBatch() == 1 ? "" : "s", settings.gradientCheckpointing ? "without --gradient-checkpointing"
            : "with --gradient-checkpointing", ModelSummary.size(otherwise)));
    out.println();
    for (Map.Entry<Phase, Counts.Load> load : counts.loads().entrySet()) {
      row("peak, " + name(load.getKey()), load.getValue().peak(), load.getValue().peak() == counts.peak()
          ? "all tensors, counted; the largest counts" : "");
    }
    row("pairs", counts.host(), "encoded, and their pictures");
  }

  /** @param advice null when the run fits */
  void verdict(long heap, long machine, Advice advice) {
    row("scratch of kernels", counts.scratch(), "estimated");
    row("copies", counts.copies(), "while a checkpoint is written");
    row("needed", counts.needed(), "of Java's heap");
    row("Java's heap", heap, "at most, of " + ModelSummary.size(machine) + " of this machine");
    out.println();
    ProcessMemory process = ProcessMemory.of(counts, heap);
    row("kept arrays", process.data() - counts.needed(), "of tensors, until the next phase, where the heap has room");
    row("garbage", process.garbage(), "until the collector comes");
    row("young generation", process.young(), "for what lives shortly");
    row("Java itself", process.java(), "code, classes, compiler, threads; measured once");
    row("process", process.total(), "resident at the peak");
    out.println();
    if (advice == null) {
      out.println("fits");
    } else if (fits(advice.counts(), heap)) {
      out.printf(Locale.ROOT, "does not fit: try %s, which needs %s; or give Java more: DRPO_HEAP=%s%n",
          String.join(" ", advice.options()), ModelSummary.size(advice.counts().needed()), heapFor(counts));
    } else {
      out.printf(Locale.ROOT, "does not fit, and neither does it with %s, which needs %s: give Java more, DRPO_HEAP=%s "
          + "for that, %s for the run as it is%n", String.join(" ", advice.options()),
          ModelSummary.size(advice.counts().needed()), heapFor(advice.counts()), heapFor(counts));
    }
    out.println();
  }

  /**
   * @param free bytes of the GPU that tensors could have now
   * @param advice null when the run fits
   */
  void deviceVerdict(long free, Advice advice) {
    GpuMemory gpu = GpuMemory.of(counts);
    row("workspace", gpu.workspace(), "of cuDNN at most, estimated");
    row("rounded copies", gpu.copies(), "of operands and results, estimated");
    row("scores", gpu.scores(), "of attention with wide heads, estimated");
    row("needed", gpu.total(), "of the GPU's memory, an estimate");
    row("GPU memory", free, "free now; a tenth is left to the libraries and to gaps");
    out.println();
    if (advice == null) {
      out.println("fits");
    } else {
      out.printf(Locale.ROOT, "does not fit%s %s, which needs %s%n", fitsDevice(advice.counts(), free) ? ": try"
          : ", and neither does it with", String.join(" ", advice.options()),
          ModelSummary.size(GpuMemory.of(advice.counts()).total()));
    }
    out.println();
  }

  void time(MachineRates rates) {
    Counts.Load training = counts.loads().get(Phase.TRAINING);
    for (Work.Kind kind : rates.flops().keySet()) {
      out.printf(Locale.ROOT, "%-20s %9.2f TFLOP per update, %.0f GFLOP/s measured%n", name(kind),
          training.work().flops(kind) * 1e-12, rates.rate(training.work(), kind) * 1e-9);
    }
    out.printf(Locale.ROOT, "%-20s %9.2f GB per update, %.0f GB/s measured%n", "all else",
        training.work().bytes() * 1e-9, rates.bytes() * 1e-9);
    out.printf(Locale.ROOT, "%-20s %s%n", "update", duration(rates.seconds(training.work())) + passes());
    double all = 0;
    for (Map.Entry<Phase, Counts.Load> load : counts.loads().entrySet()) {
      double seconds = load.getValue().times() * rates.seconds(load.getValue().work());
      out.printf(Locale.ROOT, "%-20s %s%n", name(load.getKey()), duration(seconds));
      all += seconds;
    }
    out.printf(Locale.ROOT, "%-20s %s, all else idle%n", "run", duration(all));
  }

  /** How often each pair runs through a network. */
  private String passes() {
    boolean split = settings.batch > microBatch();
    return ": " + settings.batch + " pairs, " + (settings.objective == AlignSettings.Objective.SFT ? "winners only, "
        : "reference forward, ") + (split ? "policy forward twice and backward once" : "policy forward and backward");
  }

  private int microBatch() {
    return Math.min(settings.batch, settings.microBatch);
  }

  private void row(String name, long bytes, String remark) {
    out.printf(Locale.ROOT, "%-20s %10s   %s%n", name, ModelSummary.size(bytes), remark);
  }

  private static String heapFor(Counts counts) {
    return (long) Math.ceil(counts.needed() / USABLE / (1 << 20)) + "m";
  }

  private static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static String duration(double seconds) {
    Duration whole = Duration.ofSeconds(Math.round(seconds));
    return seconds < 100 ? String.format(Locale.ROOT, "%.2f s", seconds)
        : String.format(Locale.ROOT, "%d h %02d min", whole.toHours(), whole.toMinutesPart());
  }
}
