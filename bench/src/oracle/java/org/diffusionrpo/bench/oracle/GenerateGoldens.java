package org.diffusionrpo.bench.oracle;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Writes all golden files anew. From the root of the project:
 * <pre>
 *   mvn -B -Poracle,goldens -pl bench -am process-test-classes
 * </pre>
 * <pre>
 *   tensor/src/test/resources/golden/ops.safetensors          {@link OpGoldens}
 *   diffusion/src/test/resources/golden/unet-small/           {@link UnetGoldens}, in the style of SD 1.5
 *   diffusion/src/test/resources/golden/unet-small-xl/        {@link UnetGoldens}, in the style of SDXL
 *   diffusion/src/test/resources/golden/vae-small/            {@link VaeGoldens}
 *   diffusion/src/test/resources/golden/clip-text-small/      {@link ClipTextGoldens}, in the style of CLIP-L
 *   diffusion/src/test/resources/golden/clip-text-small-projection/   the same, of OpenCLIP bigG
 * </pre>
 * Everything is computed in float64 and stored as F32, and the inputs are a function of fixed seeds; so the files are
 * the same on every machine but for the last bit of a few numbers.
 */
public final class GenerateGoldens {
  private GenerateGoldens() {}

  /** {@code args[0]}: the root of the project. */
  public static void main(String[] args) throws IOException {
    write(Path.of(args[0]));
  }

  /** Checks the oracles against the networks' own sources, then writes the files below {@code root}. */
  static void write(Path root) throws IOException {
    UnetReference.check();
    VaeReference.check();
    ClipTextReference.check();
    OpGoldens.write(root.resolve("tensor/src/test/resources/golden/ops.safetensors"));
    Path diffusion = root.resolve("diffusion/src/test/resources/golden");
    UnetGoldens.write(diffusion.resolve("unet-small"), UnetGoldens.SMALL);
    UnetGoldens.write(diffusion.resolve("unet-small-xl"), UnetGoldens.SMALL_XL);
    VaeGoldens.write(diffusion.resolve("vae-small"), VaeGoldens.SMALL);
    ClipTextGoldens.write(diffusion.resolve("clip-text-small"), ClipTextGoldens.SMALL);
    ClipTextGoldens.write(diffusion.resolve("clip-text-small-projection"), ClipTextGoldens.SMALL_PROJECTION);
  }
}
