package org.diffusionrpo.rpo.cli;

import java.nio.file.Path;
import org.diffusionrpo.rpo.Bundled;
import org.diffusionrpo.rpo.pretrain.PretrainOptions;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of one part of the pretraining; what made the bundled model stands in rpo/pretraining. */
final class StageOptions {
  @Option(names = "--steps", description = "Updates (default: ${DEFAULT-VALUE}).")
  int steps;

  @Option(names = "--batch", description = "Pictures per update (default: ${DEFAULT-VALUE}).")
  int batch;

  @Option(names = "--lr", description = "Learning rate, which falls along a cosine (default: ${DEFAULT-VALUE}).")
  double lr;

  @Option(names = "--warmup", description = "Updates of linear warm-up (default: ${DEFAULT-VALUE}).")
  int warmup;

  @Option(names = "--weight-decay", description = "Decoupled weight decay (default: ${DEFAULT-VALUE}).")
  double weightDecay;

  @Option(names = "--ema", paramLabel = "DECAY", description = "Decay of the average of the weights, which is what is "
      + "saved (default: ${DEFAULT-VALUE}).")
  double ema;

  @Option(names = "--checkpoint-every", paramLabel = "STEPS", description = "Updates between checkpoints (default: "
      + "${DEFAULT-VALUE}).")
  int checkpointEvery;

  @Option(names = "--seed", description = "Seed of everything random (default: ${DEFAULT-VALUE}).")
  long seed = 1;

  @Option(names = "--work", paramLabel = "DIR", description = "Folder for the parts, checkpoints and logs of all stages "
      + "(default: ${DEFAULT-VALUE}).")
  Path work = Path.of("runs", "pretrain");

  @Mixin BackendOptions backend = new BackendOptions();

  StageOptions(int steps, int batch, double lr, int warmup, double weightDecay, double ema, int checkpointEvery) {
    this.steps = steps;
    this.batch = batch;
    this.lr = lr;
    this.warmup = warmup;
    this.weightDecay = weightDecay;
    this.ema = ema;
    this.checkpointEvery = checkpointEvery;
  }

  /** Folder of the finished parts. */
  Path parts() {
    return work.resolve("parts");
  }

  PretrainOptions of(String stage) {
    return new PretrainOptions(Bundled.require(Bundled.data()), parts(), work.resolve(stage), steps, batch, lr, warmup,
        weightDecay, ema, checkpointEvery, seed);
  }
}
