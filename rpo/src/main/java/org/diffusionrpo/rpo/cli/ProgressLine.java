package org.diffusionrpo.rpo.cli;

import java.io.PrintWriter;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows how far a long command is: a bar on a terminal, a plain line now and then in a log. */
public final class ProgressLine implements AutoCloseable {
  /** The launcher gives the terminal's width here; absent when standard error is no terminal. */
  private static final Integer COLUMNS = Integer.getInteger("drpo.columns");
  private static final int REDRAW_MILLIS = 200;
  private static final long QUIET_NANOS = 10_000_000_000L;

  private final PrintWriter err;
  private final String task;
  private final long total;
  private final LongSupplier clock;
  private final ProgressBar bar;
  private final long start;
  private long first = -1;
  private long spoke;

  /** @param task what is being done, e.g. {@code align} */
  public ProgressLine(PrintWriter err, String task, long total) {
    this(err, task, total, COLUMNS == null ? null : new ProgressBarBuilder()
        .setTaskName(task).setInitialMax(total).setStyle(ProgressBarStyle.ASCII).setUpdateIntervalMillis(REDRAW_MILLIS)
        .setConsumer(new ConsoleProgressBarConsumer(System.err, COLUMNS)).build(), System::nanoTime);
  }

  /** Plain lines by a clock in nanoseconds. */
  ProgressLine(PrintWriter err, String task, long total, ProgressBar bar, LongSupplier clock) {
    this.err = err;
    this.task = task;
    this.total = total;
    this.bar = bar;
    this.clock = clock;
    this.start = clock.getAsLong();
    this.spoke = start;
  }

  /**
   * @param done of the total; may start above 0 in a resumed run
   * @param note e.g. the loss
   */
  public void update(long done, String note) {
    if (first < 0) {
      first = done - 1;
    }
    if (bar != null) {
      bar.stepTo(done);
      bar.setExtraMessage(note);
      return;
    }
    long now = clock.getAsLong();
    if (now - spoke >= QUIET_NANOS) {
      spoke = now;
      double perStep = (now - start) * 1e-9 / (done - first);
      err.printf("%s: %d of %d (%d%%), %s left%s%n", task, done, total, 100 * done / Math.max(1, total),
          duration(Math.round(perStep * (total - done))), note.isEmpty() ? "" : ", " + note);
      err.flush();
    }
  }

  /** For example {@code 75 s}, {@code 12 min} or {@code 3 h 20 min}. */
  static String duration(long seconds) {
    if (seconds < 120) {
      return seconds + " s";
    }
    long minutes = Math.round(seconds / 60.0);
    return minutes < 120 ? minutes + " min" : minutes / 60 + " h " + minutes % 60 + " min";
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
