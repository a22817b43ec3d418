package org.diffusionrpo.rpo.align;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.diffusionrpo.diffusion.image.ImageCodec;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.io.TinyXlModel;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Philox;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.io.DType;

/** A folder with a tiny random model, its CLIP and a few pairs of pictures: an alignment takes a second or two. */
public record TinyRuns(Path home) {
  public static final int PAIRS = 5;
  static final int STEPS = 10;

  private static final List<String> CAPTIONS = List.of("red cat", "red dog", "blue cat", "blue dog", "cat and dog");

  /** Makes model and pairs in an empty folder. */
  public static TinyRuns create(Path home) throws IOException {
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyModel.create(backend)) {
      return create(home, backend, model);
    }
  }

  /** The same with an SDXL. */
  static TinyRuns createXl(Path home) throws IOException {
    try (Backend backend = new CpuBackend(); StableDiffusion model = TinyXlModel.create(backend, true)) {
      return create(home, backend, model);
    }
  }

  private static TinyRuns create(Path home, Backend backend, StableDiffusion model) throws IOException {
    TinyRuns runs = new TinyRuns(home);
    try (Clip clip = TinyModel.createClip(backend)) {
      model.save(runs.model(), DType.F32);
      clip.save(runs.model().resolve("clip"), DType.F32);
    }
    StringBuilder table = new StringBuilder();
    for (int i = 0; i < PAIRS; i++) {
      Files.write(home.resolve("w" + i + ".png"), picture("winner", i));
      Files.write(home.resolve("l" + i + ".png"), picture("loser", i));
      table.append(String.format("{\"caption\": \"%s\", \"winner\": \"w%d.png\", \"loser\": \"l%d.png\"}%n",
          CAPTIONS.get(i), i, i));
    }
    Files.writeString(runs.data(), table);
    return runs;
  }

  public Path model() {
    return home.resolve("model");
  }

  public Path data() {
    return home.resolve("pairs.jsonl");
  }

  Path out(String name) {
    return home.resolve("runs").resolve(name);
  }

  /** Diffusion-RPO on the pairs; what a test asks for it changes. */
  AlignSettings settings(String name) {
    AlignSettings settings = new AlignSettings();
    settings.model = model();
    settings.data = data();
    settings.out = out(name);
    settings.steps = STEPS;
    settings.batch = 3;
    settings.lr = 1e-3;
    settings.warmup = 2;
    settings.beta = 100.0;
    settings.checkpointEvery = 3;
    settings.samples = 2;
    settings.sampleSteps = 2;
    settings.evaluate = 0;
    return settings;
  }

  /** Noise of a size that is not the model's. */
  private static byte[] picture(String kind, int index) {
    byte[] rgb = new byte[3 * 16 * 12];
    Philox random = Philox.stream(3, kind, index);
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) random.nextInt(256);
    }
    return ImageCodec.encodePng(new RgbImage(16, 12, rgb));
  }
}
