package org.diffusionrpo.diffusion.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.diffusionrpo.diffusion.image.RgbImage;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.schedule.SamplerKind;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StableDiffusionPipelineTest {
  private static final SamplingSettings GUIDED = new SamplingSettings(SamplerKind.DDIM, 4, 5);
  private static final SamplingSettings PLAIN = new SamplingSettings(SamplerKind.DDIM, 4, 1);

  private static Backend backend;
  private static StableDiffusion model;
  private static StableDiffusionPipeline pipeline;

  @BeforeAll
  static void create() throws IOException {
    backend = CpuBackend.poisoned();
    model = TinyModel.create(backend);
    pipeline = new StableDiffusionPipeline(backend, model);
  }

  @AfterAll
  static void close() {
    model.close();
    assertEquals(0, backend.memory().liveBytes());
    backend.close();
  }

  @ParameterizedTest
  @EnumSource
  void pictureDependsOnItsRequestAlone(SamplerKind sampler) {
    SamplingSettings settings = new SamplingSettings(sampler, 4, 5);
    List<ImageRequest> requests = List.of(new ImageRequest("red cat", "", 1, 0), new ImageRequest("dog", "cat", 1, 0),
        new ImageRequest("blue dog", "", 2, 3));
    List<RgbImage> together = generate(requests, settings);
    for (int i = 0; i < requests.size(); i++) {
      assertSame(together.get(i), generate(List.of(requests.get(i)), settings).get(0));
    }
  }

  @Test
  void batchesOfAnySplitGiveTheSamePictures() {
    List<ImageRequest> many = new ArrayList<>();
    for (int i = 0; i < 17; i++) {
      many.add(new ImageRequest("cat", "", 7, i));
    }
    // 33 x 33 latents: 15 pictures at once, so two batches
    SamplingSettings large = new SamplingSettings(SamplerKind.DDIM, 1, 1, 66, 66);
    List<RgbImage> split = generate(many, large);
    assertSame(split.get(16), generate(many.subList(16, 17), large).get(0));
  }

  @Test
  void seedIndexPromptAndNegativePromptChangeThePicture() {
    RgbImage base = draw(new ImageRequest("red cat", "", 1, 0), GUIDED);
    assertFalse(isSame(base, draw(new ImageRequest("red cat", "", 2, 0), GUIDED)));
    assertFalse(isSame(base, draw(new ImageRequest("red cat", "", 1, 1), GUIDED)));
    assertFalse(isSame(base, draw(new ImageRequest("blue dog", "", 1, 0), GUIDED)));
    assertFalse(isSame(base, draw(new ImageRequest("red cat", "blue dog", 1, 0), GUIDED)));
  }

  @Test
  void guidanceOfOneIgnoresTheNegativePrompt() {
    assertSame(draw(new ImageRequest("red cat", "", 1, 0), PLAIN),
        draw(new ImageRequest("red cat", "blue dog", 1, 0), PLAIN));
  }

  @Test
  void guidanceAwayFromThePromptItselfIsNoGuidance() {
    assertSame(draw(new ImageRequest("red cat", "", 1, 0), PLAIN),
        draw(new ImageRequest("red cat", "red cat", 1, 0), GUIDED));
  }

  @Test
  void sizeIsTheModelsOrTheSettings() {
    RgbImage own = draw(new ImageRequest("cat", "", 1, 0), PLAIN);
    assertEquals("10x10", own.width() + "x" + own.height());
    RgbImage wide = draw(new ImageRequest("cat", "", 1, 0), new SamplingSettings(SamplerKind.DDIM, 2, 1, 14, 6));
    assertEquals("14x6", wide.width() + "x" + wide.height());
    SamplingSettings odd = new SamplingSettings(SamplerKind.DDIM, 2, 1, 7, 6);
    String message = assertThrows(IllegalArgumentException.class,
        () -> draw(new ImageRequest("cat", "", 1, 0), odd)).getMessage();
    assertTrue(message.contains("7 x 6") && message.contains("multiples of 2"), message);
  }

  @Test
  void progressCountsEveryStepOfEveryPicture() {
    List<Long> seen = new ArrayList<>();
    pipeline.generate(List.of(new ImageRequest("cat", "", 1, 0), new ImageRequest("dog", "", 1, 0)), GUIDED,
        (done, total) -> {
          assertEquals(8, total);
          seen.add(done);
        });
    assertEquals(List.of(2L, 4L, 6L, 8L), seen);
  }

  @Test
  void cancellingEndsAtTheNextStep() {
    int[] calls = {0};
    List<RgbImage> images = pipeline.generate(List.of(new ImageRequest("cat", "", 1, 0)), GUIDED,
        new ProgressListener() {
          @Override
          public void onProgress(long done, long total) {
            calls[0]++;
          }

          @Override
          public boolean cancelled() {
            return calls[0] == 2;
          }
        });
    assertEquals(List.of(), images);
    assertEquals(2, calls[0]);
  }

  private static RgbImage draw(ImageRequest request, SamplingSettings settings) {
    return generate(List.of(request), settings).get(0);
  }

  private static List<RgbImage> generate(List<ImageRequest> requests, SamplingSettings settings) {
    return pipeline.generate(requests, settings, ProgressListener.SILENT);
  }

  private static boolean isSame(RgbImage a, RgbImage b) {
    return Arrays.equals(a.rgb(), b.rgb());
  }

  private static void assertSame(RgbImage expected, RgbImage actual) {
    assertArrayEquals(expected.rgb(), actual.rgb());
  }
}
