package org.diffusionrpo.rpo.plan;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.diffusionrpo.rpo.align.AlignSettings;
import org.diffusionrpo.rpo.align.Counts;
import org.diffusionrpo.rpo.align.DryRun;
import org.diffusionrpo.tensor.Storage;

/**
 * The fewest and mildest options with which a run fits.
 *
 * @param options as on the command line, to be added to those of the run; all that save memory if even they do not fit
 * @param counts with these options
 */
public record Advice(List<String> options, Counts counts) {
  /** From those that change only speed to those that change what is trained. */
  private static final List<Saving> SAVINGS = List.of(
      new Saving("--micro-batch 1", s -> s.microBatch == null ? s.batch > 1 : s.microBatch > 1, s -> s.microBatch = 1),
      new Saving("--gradient-checkpointing", s -> !s.gradientCheckpointing, s -> s.gradientCheckpointing = true),
      new Saving("--cache DIR", s -> s.cache == null && !s.stream, s -> s.cache = Path.of("cache")),
      new Saving("--samples 0 --evaluate 0", s -> s.samples > 0 || s.evaluate > 0, Advice::drawNothing),
      new Saving("--storage f16", s -> s.storage == Storage.F32, s -> s.storage = Storage.F16),
      new Saving("--optimizer adafactor", s -> s.optimizer == AlignSettings.OptimizerKind.ADAMW,
          s -> s.optimizer = AlignSettings.OptimizerKind.ADAFACTOR),
      new Saving("--lora 8", s -> s.lora == null, Advice::adapt));

  private record Saving(String option, Predicate<AlignSettings> applies, Consumer<AlignSettings> change) {}

  /**
   * Adds options until the run fits, and leaves out again those that it can do without.
   *
   * @param settings of a run that does not fit
   */
  public static Advice of(AlignSettings settings, Predicate<Counts> fits) throws IOException {
    List<Saving> chosen = new ArrayList<>();
    Counts counts = null;
    for (Saving saving : SAVINGS) {
      if (saving.applies.test(settings)) {
        chosen.add(saving);
        counts = counts(settings, chosen);
        if (fits.test(counts)) {
          break;
        }
      }
    }
    if (counts == null) {
      counts = DryRun.of(settings);
    }
    for (int i = chosen.size() - 1; i >= 0 && fits.test(counts); i--) {
      List<Saving> fewer = new ArrayList<>(chosen);
      fewer.remove(i);
      Counts without = counts(settings, fewer);
      if (fits.test(without)) {
        chosen = fewer;
        counts = without;
      }
    }
    return new Advice(chosen.stream().map(Saving::option).toList(), counts);
  }

  private static Counts counts(AlignSettings settings, List<Saving> savings) throws IOException {
    AlignSettings changed = settings.copy();
    savings.forEach(saving -> saving.change.accept(changed));
    return DryRun.of(changed);
  }

  private static void drawNothing(AlignSettings settings) {
    settings.samples = 0;
    settings.evaluate = 0;
  }

  private static void adapt(AlignSettings settings) {
    settings.lora = 8;
    settings.lr = null; // that of adapters
  }
}
