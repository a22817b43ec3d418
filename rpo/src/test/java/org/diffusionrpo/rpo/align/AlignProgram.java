package org.diffusionrpo.rpo.align;

import java.io.IOException;
import java.nio.file.Path;

/** A run of {@link TinyRuns} as a program of its own that can be killed. */
final class AlignProgram {
  static final int STEPS = 30;

  private AlignProgram() {}

  /** {@code args}: home of the runs, name of this one. Resumes or starts it; prints the number of each update. */
  public static void main(String[] args) throws IOException {
    AlignSettings settings = new TinyRuns(Path.of(args[0])).settings(args[1]);
    settings.steps = STEPS;
    settings.checkpointEvery = 2;
    settings.samples = 0;
    settings.ema = 0.9;
    settings.resume = true;
    AlignRun.run(settings, report -> {
      System.out.println(report.step());
      System.out.flush();
    });
  }
}
