package org.diffusionrpo.diffusion.clip;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.diffusionrpo.diffusion.io.GoldenNumbers;
import org.diffusionrpo.diffusion.io.GoldenWeights;
import org.diffusionrpo.tensor.Activation;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.GoldenFill;
import org.diffusionrpo.tensor.Layout;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.OnEachDevice;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.TestDevice;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A tiny CLIP against numbers from the reference sources, computed there in float32. */
@OnEachDevice
class ClipGoldenTest {
  private static final int TEXTS = 2;
  private static final int[] IDS = {
      62, 5, 9, 17, 63, 0, 0, 0, 0, 0, 0, 0,
      62, 40, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63};

  /** Parameters of the golden model; logit_scale is not counted there. */
  private static final String SIZE = "454400 elements, 77 tensors";

  private final TestDevice device;

  ClipGoldenTest(TestDevice device) {
    this.device = device;
  }

  @ParameterizedTest
  @EnumSource(value = Activation.class, names = {"QUICK_GELU", "GELU"})
  void hiddenStatesAndEmbedsEqualTheReference(Activation activation) throws IOException {
    GoldenNumbers golden = activation == Activation.QUICK_GELU
        ? GoldenNumbers.read("clip.txt", "quick_gelu", "gelu") : GoldenNumbers.read("clip.txt", "gelu");
    try (Backend backend = device.open(); ClipModel clip = model(activation);
        MemoryScope scope = backend.scope()) {
      assertEquals(SIZE, clip.parameters().count() - 1 + " elements, " + (clip.parameters().all().size() - 1)
          + " tensors");
      GoldenWeights.load(clip.parameters(), backend);

      Tensor inner = clip.text().hiddenState(backend, IDS, TEXTS, 1);
      golden.check("hidden[-2]", inner.toArray(), GoldenNumbers.OUTPUT_TOLERANCE);
      Tensor hidden = clip.text().forward(backend, IDS, TEXTS, Tape.NONE);
      golden.check("last_hidden", hidden.toArray(), GoldenNumbers.OUTPUT_TOLERANCE);
      Tensor texts = clip.text().project(hidden, IDS, Tape.NONE);
      golden.check("text_embeds", texts.toArray(), GoldenNumbers.OUTPUT_TOLERANCE);

      float[] pixels = GoldenFill.sequence(10_000_000, 2 * 3 * 32 * 32);
      Tensor images = clip.vision().forward(
          backend.of(Shape.of(2, 32, 32, 3), Layout.toNhwc(pixels, 2, 3, 32, 32)), Tape.NONE);
      golden.check("image_embeds", images.toArray(), GoldenNumbers.OUTPUT_TOLERANCE);
      checkCosines(golden.text("cos image x text"), images.toArray(), texts.toArray());
    }
  }

  /** @param matrix rows are images, {@code [[a, b], [c, d]]} */
  private static void checkCosines(String matrix, float[] images, float[] texts) {
    String[] words = matrix.replaceAll("[\\[\\]]", "").split(", ");
    int width = images.length / 2;
    for (int i = 0; i < 2; i++) {
      for (int j = 0; j < TEXTS; j++) {
        double expected = Double.parseDouble(words[i * TEXTS + j]);
        double squares = dot(images, i * width, images, i * width, width)
            * dot(texts, j * width, texts, j * width, width);
        double cosine = dot(images, i * width, texts, j * width, width) / Math.sqrt(squares);
        assertEquals(expected, cosine, GoldenNumbers.OUTPUT_TOLERANCE, "cosine of image " + i + " and text " + j);
      }
    }
  }

  private static double dot(float[] a, int aStart, float[] b, int bStart, int length) {
    double sum = 0;
    for (int k = 0; k < length; k++) {
      sum += (double) a[aStart + k] * b[bStart + k];
    }
    return sum;
  }

  private static ClipModel model(Activation activation) {
    return new ClipModel(
        new ClipTextConfig(new ClipTowerConfig(32, 128, 2, 4, activation, 1e-5f), 64, 12, 16),
        new ClipVisionConfig(new ClipTowerConfig(128, 512, 2, 2, activation, 1e-5f), 32, 8, 16));
  }
}
