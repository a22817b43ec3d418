package org.diffusionrpo.rpo;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.diffusionrpo.diffusion.train.StepReport;
import org.diffusionrpo.rpo.align.AlignListener;
import org.diffusionrpo.rpo.align.AlignResult;
import org.diffusionrpo.rpo.align.AlignRun;
import org.diffusionrpo.rpo.align.AlignSettings;

public final class AlignMyModel {
  public static void main(String[] args) throws IOException {
    AlignSettings settings = new AlignSettings();
    settings.model = Path.of("my-model"); // a folder in diffusers' layout, with clip/ beside unet/
    settings.data = Path.of("my-pairs.parquet");
    settings.steps = 200;
    settings.out = Path.of("runs/mine");
    AtomicBoolean stop = new AtomicBoolean(); // set by another thread, for example on a button
    AlignResult result = align(settings, stop);
    System.out.println(result.finished() ? "aligned: " + result.model() : "stopped; set resume to go on");
  }

  static AlignResult align(AlignSettings settings, AtomicBoolean stop) throws IOException {
    return AlignRun.run(settings, new AlignListener() {
      @Override public void onStep(StepReport report) {
        System.out.printf("%d of %d, loss %.4f%n", report.step(), report.total(), report.loss());
      }

      @Override public boolean cancelled() {
        return stop.get();
      }
    });
  }
}
