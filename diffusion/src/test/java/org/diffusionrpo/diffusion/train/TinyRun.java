package org.diffusionrpo.diffusion.train;

import java.io.IOException;
import java.nio.file.Path;
import org.diffusionrpo.diffusion.unet.UNet2DConditionModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.Checksums;
import org.diffusionrpo.tensor.optim.AdamW;
import org.diffusionrpo.tensor.optim.Ema;
import org.diffusionrpo.tensor.optim.LearningRate;

/** A whole training run of a tiny UNet in a folder, also as a program of its own that can be killed. */
final class TinyRun {
  private static final NoiseObjective.Options OPTIONS = new NoiseObjective.Options(3, 2, 0.2, 5, 31);

  private TinyRun() {}

  /** {@code args}: folder, updates, updates between checkpoints. Prints the number of each update it has made. */
  public static void main(String[] args) throws IOException {
    run(Path.of(args[0]), Integer.parseInt(args[1]), Integer.parseInt(args[2]), report -> {
      System.out.println(report.step());
      System.out.flush();
    });
  }

  /** Resumes what is in the folder, or starts, and returns the updates made in all. */
  static int run(Path folder, int steps, int checkpointEvery, TrainListener listener) throws IOException {
    try (Backend backend = new CpuBackend(); UNet2DConditionModel unet = TinyNoise.unet(backend);
        TrainState state = new TrainState(unet.parameters(),
            new AdamW(unet.parameters().all(), AdamW.Options.DEFAULT), new Ema(unet.parameters().all(), 0.99))) {
      TrainLoop loop = new TrainLoop(
          new TrainLoop.Settings(steps, new LearningRate(LearningRate.Schedule.COSINE, 2e-3, 3, steps), 1,
              checkpointEvery, 3),
          state, new CheckpointStore(folder, 2), listener);
      return loop.run(TinyNoise.objective(backend, unet, OPTIONS), loop.resume());
    }
  }

  /** The SHA-256 of weights, optimizer, weight average and counters after so many updates. */
  static String hash(Path folder, int steps) throws IOException {
    return Checksums.sha256(folder.resolve("step-%08d".formatted(steps)).resolve("state.safetensors"));
  }
}
