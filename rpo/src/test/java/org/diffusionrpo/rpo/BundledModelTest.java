package org.diffusionrpo.rpo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.diffusionrpo.diffusion.io.Clip;
import org.diffusionrpo.diffusion.io.LoadOptions;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.Test;

/** The model in the repository. Tests run in the module's folder. */
class BundledModelTest {
  private static final Path MODEL = Path.of("model");
  /** Every clone fetches it. */
  private static final long MOST_BYTES = 30_000_000;

  @Test
  void everyPartLoadsAndTheUNetHasTheStatedNumberOfParameters() throws IOException {
    try (Backend backend = new CpuBackend();
        StableDiffusion model = StableDiffusion.load(MODEL, backend, LoadOptions.F32);
        Clip clip = Clip.load(model.clip(), backend, Storage.F32)) {
      assertEquals(6.7e6, model.unet().value().parameters().count(), 0.1e6, "as rpo/pretraining/README.md says");
      assertTrue(clip.parameters().count() > 0);
    }
  }

  @Test
  void isSmallEnoughForARepository() throws IOException {
    long bytes = 0;
    try (Stream<Path> tree = Files.walk(MODEL)) {
      for (Path file : tree.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
    }
    assertTrue(bytes <= MOST_BYTES, bytes + " bytes");
  }
}
