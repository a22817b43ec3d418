package org.diffusionrpo.diffusion.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.io.TinyXlModel;
import org.diffusionrpo.diffusion.schedule.SamplerKind;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.Storage;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Parameter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StableDiffusionXlPipelineTest {
  private static final int STEPS = 3;
  private static final SamplingSettings GUIDED = new SamplingSettings(SamplerKind.EULER, STEPS, 5);
  private static final SamplingSettings PLAIN = new SamplingSettings(SamplerKind.EULER, STEPS, 1);
  private static final ImageRequest CAT = new ImageRequest("red cat", "", 1, 0);

  private final Backend backend = CpuBackend.poisoned();
  private StableDiffusion model;

  @BeforeEach
  void create() throws IOException {
    model = TinyXlModel.create(backend, true);
  }

  @AfterEach
  void nothingIsLeftInMemory() {
    model.close();
    assertEquals(0, backend.memory().liveBytes());
    backend.close();
  }

  @Test
  void pictureDependsOnItsRequestAlone() {
    ImageRequest other = new ImageRequest("blue dog", "cat", 2, 1);
    List<byte[]> together = draw(model, GUIDED, CAT, other);
    assertArrayEquals(together.get(0), draw(model, GUIDED, CAT).get(0));
    assertArrayEquals(together.get(1), draw(model, GUIDED, other).get(0));
    assertFalse(Arrays.equals(together.get(0), draw(model, GUIDED, new ImageRequest("red cat", "dog", 1, 0)).get(0)));
  }

  @ParameterizedTest
  @CsvSource({"20,0,0,0", "0,20,0,0", "0,0,3,0", "0,0,0,3"})
  void eachNumberOfTheOriginChangesThePicture(int width, int height, int left, int top) {
    assertFalse(Arrays.equals(draw(model, PLAIN, CAT).get(0),
        draw(model, with(new PictureOrigin(width, height, left, top)), CAT).get(0)));
  }

  @Test
  void originOfThePicturesOwnSizeIsTheDefault() {
    assertArrayEquals(draw(model, PLAIN, CAT).get(0), draw(model, with(new PictureOrigin(10, 10, 0, 0)), CAT).get(0));
  }

  @Test
  void pooledEmbeddingChangesThePicture() {
    byte[] before = draw(model, PLAIN, CAT).get(0);
    Parameter projection = model.textEncoder2().value().parameters().get("text_projection.weight");
    float[] values = projection.value().toArray();
    for (int i = 0; i < values.length; i++) {
      values[i] += i % 2 == 0 ? 1 : -1; // the context does not pass through it
    }
    projection.set(backend, values, Storage.F32);
    assertFalse(Arrays.equals(before, draw(model, PLAIN, CAT).get(0)));
  }

  @Test
  void emptyNegativePromptFollowsTheModelsIndex() throws IOException {
    try (StableDiffusion encodes = TinyXlModel.create(backend, false)) {
      assertFalse(Arrays.equals(draw(model, GUIDED, CAT).get(0), draw(encodes, GUIDED, CAT).get(0)));
      assertArrayEquals(draw(model, PLAIN, CAT).get(0), draw(encodes, PLAIN, CAT).get(0));
    }
  }

  @Test
  void originIsRefusedForAModelThatIsNotToldOfIt() throws IOException {
    try (StableDiffusion tiny = TinyModel.create(backend)) {
      String message = assertThrows(IllegalArgumentException.class,
          () -> draw(tiny, with(new PictureOrigin(0, 0, 1, 0)), CAT)).getMessage();
      assertTrue(message.contains("only SDXL"), message);
    }
  }

  private static SamplingSettings with(PictureOrigin origin) {
    return new SamplingSettings(SamplerKind.EULER, STEPS, 1, 0, 0, origin);
  }

  private List<byte[]> draw(StableDiffusion drawn, SamplingSettings settings, ImageRequest... requests) {
    return new StableDiffusionPipeline(backend, drawn).generate(List.of(requests), settings, ProgressListener.SILENT)
        .stream().map(image -> image.rgb()).toList();
  }
}
