package org.diffusionrpo.rpo.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.diffusion.train.TrainListener;
import org.diffusionrpo.rpo.report.MetricsLog;
import org.diffusionrpo.rpo.report.RunReport;

/** Writes every update to metrics.jsonl before the run's own listener hears of it. */
public final class StepLog implements TrainListener, AutoCloseable {
  private final Path file;
  private final TrainListener next;
  private MetricsLog log;

  public StepLog(Path file, TrainListener next) {
    this.file = file;
    this.next = next;
  }

  /** Cuts off what a killed run wrote after its last checkpoint. */
  public void continueAfter(int step) throws IOException {
    log = MetricsLog.continueAfter(file, step);
  }

  @Override
  public void onStep(StepReport report) throws IOException {
    Map<String, Double> values = new LinkedHashMap<>(report.metrics());
    values.put(RunReport.LEARNING_RATE, report.learningRate());
    values.put(RunReport.GRADIENT_NORM, report.gradNorm());
    values.put(RunReport.SECONDS, report.seconds());
    values.put("skipped", report.skipped() == null ? 0.0 : 1.0);
    log.append(new MetricsLog.Entry(report.step(), values));
    next.onStep(report);
  }

  @Override
  public boolean cancelled() {
    return next.cancelled();
  }

  @Override
  public void close() throws IOException {
    if (log != null) {
      log.close();
    }
  }
}
