package org.diffusionrpo.rpo.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.rpo.compare.CompareListener;
import org.diffusionrpo.rpo.loss.LossMetric;

/** Shows a run on the console: its phases as lines, the progress within them as bars; Ctrl-C cancels it. */
final class RunProgress implements CompareListener, AutoCloseable {
  /** Single updates are noisy; the shown values follow them this slowly. */
  private static final double SMOOTHING = 0.9;

  private final PrintWriter err;
  private String task;
  private ProgressLine line;
  private double loss = Double.NaN;
  private double accuracy = Double.NaN;

  RunProgress(PrintWriter err) {
    this(err, "");
  }

  /** @param task what is done before the first phase */
  RunProgress(PrintWriter err, String task) {
    this.err = err;
    this.task = task;
  }

  @Override
  public void onUnit(String name, int finished, int total, double secondsLeft) {
    close();
    err.printf("[%d of %d] %s%s%n", finished + 1, total, name,
        Double.isNaN(secondsLeft) ? "" : ", " + ProgressLine.duration(Math.round(secondsLeft)) + " left in all");
    err.flush();
  }

  @Override
  public void onPhase(String description) {
    close();
    err.println(description);
    err.flush();
    task = description.split("\\W", 2)[0].toLowerCase(Locale.ROOT);
    loss = Double.NaN;
    accuracy = Double.NaN;
  }

  @Override
  public void onProgress(long done, long total) {
    update(0, done, total, "");
  }

  @Override
  public void onStep(StepReport report) {
    loss = smoothed(loss, report.loss());
    Map<String, Double> metrics = report.metrics();
    accuracy = smoothed(accuracy, metrics.getOrDefault(LossMetric.IMPLICIT_ACCURACY.key(), Double.NaN));
    String note = String.format(Locale.ROOT, "loss %.4f", loss)
        + (Double.isNaN(accuracy) ? "" : String.format(Locale.ROOT, ", implicit accuracy %.0f%%", 100 * accuracy));
    update(report.step() - 1, report.step(), report.total(), note);
  }

  @Override
  public boolean cancelled() {
    return Interruption.requested();
  }

  /** @param before how much was done before the first call, by the run that this one resumes */
  private void update(long before, long done, long total, String note) {
    if (line == null) {
      line = new ProgressLine(err, task, before, total);
    }
    line.update(done, note);
  }

  private static double smoothed(double average, double value) {
    return Double.isFinite(average) ? SMOOTHING * average + (1 - SMOOTHING) * value : value;
  }

  @Override
  public void close() {
    if (line != null) {
      line.close();
      line = null;
    }
  }
}
