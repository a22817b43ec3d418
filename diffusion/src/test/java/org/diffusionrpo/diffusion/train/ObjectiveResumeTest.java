package org.diffusionrpo.diffusion.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.diffusionrpo.diffusion.TinyModels;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.vae.AutoencoderKL;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameters;
import org.diffusionrpo.tensor.optim.AdamW;
import org.diffusionrpo.tensor.optim.Ema;
import org.diffusionrpo.tensor.optim.LearningRate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Autoencoder and CLIP draw flips, latents, pictures, captions and shifts; none may depend on the updates before. */
class ObjectiveResumeTest {
  private static final int STEPS = 4;
  private static final int ITEMS = 5;
  private static final int BATCH = 3;
  private static final long SEED = 23;

  @TempDir
  private Path folder;

  /** Begins or resumes a run in a folder, stops it after update {@code last}, and tells which updates it made. */
  @FunctionalInterface
  private interface Training {
    List<Integer> run(Path run, int last) throws IOException;
  }

  @Test
  void twoUpdatesOfTheAutoencoderAndTwoMoreEqualFourBitForBit() throws IOException {
    twoAndTwoEqualFour(ObjectiveResumeTest::trainAutoencoder);
  }

  @Test
  void twoUpdatesOfClipAndTwoMoreEqualFourBitForBit() throws IOException {
    twoAndTwoEqualFour(ObjectiveResumeTest::trainClip);
  }

  private void twoAndTwoEqualFour(Training training) throws IOException {
    Path whole = folder.resolve("whole");
    assertEquals(List.of(1, 2, 3, 4), training.run(whole, STEPS));
    Path parts = folder.resolve("parts");
    assertEquals(List.of(1, 2), training.run(parts, 2));
    assertEquals(List.of(3, 4), training.run(parts, STEPS));
    assertEquals(TinyRun.hash(whole, STEPS), TinyRun.hash(parts, STEPS));
  }

  private static List<Integer> trainAutoencoder(Path run, int last) throws IOException {
    try (Backend backend = new CpuBackend(); AutoencoderKL vae = TinyModels.vae()) {
      vae.parameters().initialize(backend, SEED);
      List<RgbImage> pictures = IntStream.range(0, ITEMS).mapToObj(i -> picture(6, i)).toList();
      return train(vae.parameters(), new VaeObjective(backend, vae, pictures, BATCH, 1e-2, SEED), run, last);
    }
  }

  private static List<Integer> trainClip(Path run, int last) throws IOException {
    try (Backend backend = new CpuBackend(); Clip clip = TinyModel.createClip(backend)) {
      int side = clip.model().value().vision().config().imageSize();
      List<List<ClipObjective.Captioned>> groups = IntStream.range(0, ITEMS).mapToObj(i -> List.of(
          new ClipObjective.Captioned(picture(side, 2 * i), List.of("red cat", "red dog")),
          new ClipObjective.Captioned(picture(side, 2 * i + 1), List.of("blue cat", "blue dog")))).toList();
      return train(clip.parameters(), new ClipObjective(backend, clip.model().value(), clip.tokenizer(), groups, BATCH,
          SEED), run, last);
    }
  }

  private static List<Integer> train(Parameters parameters, TrainObjective objective, Path run, int last)
      throws IOException {
    parameters.unfreeze();
    List<Integer> made = new ArrayList<>();
    TrainListener listener = new TrainListener() {
      @Override
      public void onStep(StepReport report) {
        made.add(report.step());
      }

      @Override
      public boolean cancelled() {
        return made.contains(last);
      }
    };
    try (TrainState state = new TrainState(parameters, new AdamW(parameters.all(), AdamW.Options.DEFAULT),
        new Ema(parameters.all(), 0.99))) {
      TrainLoop loop = new TrainLoop(
          new TrainLoop.Settings(STEPS, new LearningRate(LearningRate.Schedule.COSINE, 2e-3, 0, STEPS), 1, 100, 3),
          state, new CheckpointStore(run, 2), listener);
      loop.run(objective, loop.resume());
      return made;
    }
  }

  private static RgbImage picture(int side, int index) {
    byte[] rgb = new byte[3 * side * side];
    Philox random = Philox.stream(SEED, "picture", index);
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) random.nextInt(256);
    }
    return new RgbImage(side, side, rgb);
  }
}
