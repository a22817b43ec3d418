package org.diffusionrpo.diffusion.clip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.diffusionrpo.diffusion.io.StableDiffusion;
import org.diffusionrpo.diffusion.io.TinyModel;
import org.diffusionrpo.diffusion.io.TinyXlModel;
import org.diffusionrpo.diffusion.unet.TextEmbedding;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.Tensor;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.diffusionrpo.tensor.nn.Tape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PromptEncoderTest {
  private static final int LENGTH = 9;
  private static final int WIDTH = 12;
  private static final int WIDTH_2 = 8;
  private static final int POOLED = 7;

  private final Backend backend = CpuBackend.poisoned();
  private StableDiffusion xl;

  @BeforeEach
  void create() throws IOException {
    xl = TinyXlModel.create(backend, true);
  }

  @AfterEach
  void nothingIsLeftInMemory() {
    xl.close();
    assertEquals(0, backend.memory().liveBytes());
    backend.close();
  }

  @Test
  void contextOfSdxlIsThePenultimateStateOfBothEncodersSideBySide() {
    PromptEncoder encoder = xl.promptEncoder(backend);
    assertEquals(Shape.of(LENGTH, WIDTH + WIDTH_2), encoder.contextShape());
    float[] context = encoder.encode("red cat").context();
    float[] left = penultimate(xl.textEncoder().value().model(), xl.tokenizer());
    float[] right = penultimate(xl.textEncoder2().value().model(), xl.tokenizer2());
    for (int t = 0; t < LENGTH; t++) {
      int row = t * (WIDTH + WIDTH_2);
      assertArrayEquals(Arrays.copyOfRange(left, t * WIDTH, (t + 1) * WIDTH),
          Arrays.copyOfRange(context, row, row + WIDTH), "first encoder, token " + t);
      assertArrayEquals(Arrays.copyOfRange(right, t * WIDTH_2, (t + 1) * WIDTH_2),
          Arrays.copyOfRange(context, row + WIDTH, row + WIDTH + WIDTH_2), "second encoder, token " + t);
    }
  }

  @Test
  void pooledEmbeddingIsTheSecondEncodersProjectionOfItsLastState() {
    PromptEncoder encoder = xl.promptEncoder(backend);
    ClipTextModel text = xl.textEncoder2().value().model();
    int[] ids = xl.tokenizer2().encodeBatch(List.of("red cat"));
    try (MemoryScope scope = backend.scope()) {
      Tensor embeds = text.project(text.forward(backend, ids, 1, Tape.NONE), ids, Tape.NONE);
      assertEquals(POOLED, encoder.pooledSize());
      assertArrayEquals(embeds.toArray(), encoder.encode("red cat").pooled());
    }
  }

  @Test
  void eachTokenizerPadsInItsOwnWay() {
    assertEquals(xl.tokenizer().eosId(), xl.tokenizer().encode("cat").ids()[LENGTH - 1]);
    assertEquals(0, xl.tokenizer2().encode("cat").ids()[LENGTH - 1]);
    PromptEncoder eos = new PromptEncoder(backend, tower(xl.tokenizer()), tower2(xl.tokenizer()), true);
    TextEmbedding wrong = eos.encode("cat");
    TextEmbedding right = xl.promptEncoder(backend).encode("cat");
    assertArrayEquals(wrong.pooled(), right.pooled(), "padding comes after the token that is pooled");
    assertNotEquals(Arrays.hashCode(wrong.context()), Arrays.hashCode(right.context()));
  }

  @Test
  void emptyNegativePromptIsZerosOnlyWhereTheModelWantsThem() throws IOException {
    PromptEncoder zeros = xl.promptEncoder(backend);
    Map<String, TextEmbedding> encoded = zeros.encode(List.of("", "dog"));
    TextEmbedding none = zeros.negative("", encoded);
    assertArrayEquals(new float[LENGTH * (WIDTH + WIDTH_2)], none.context());
    assertArrayEquals(new float[POOLED], none.pooled());
    assertSame(encoded.get("dog"), zeros.negative("dog", encoded));
    try (StableDiffusion encodes = TinyXlModel.create(backend, false)) {
      assertSame(encoded.get(""), encodes.promptEncoder(backend).negative("", encoded));
    }
  }

  @Test
  void modelWithOneEncoderGivesItsLastStateAndNothingPooled() throws IOException {
    try (StableDiffusion model = TinyModel.create(backend); MemoryScope scope = backend.scope()) {
      PromptEncoder encoder = model.promptEncoder(backend);
      Map<String, TextEmbedding> encoded = encoder.encode(List.of("", "dog", "dog"));
      assertEquals(2, encoded.size());
      assertEquals(0, encoder.pooledSize());
      assertNull(encoded.get("dog").pooled());
      assertSame(encoded.get(""), encoder.negative("", encoded));
      assertArrayEquals(model.textEncoder().value().model()
          .forward(backend, model.tokenizer().encode("dog").ids(), 1, Tape.NONE).toArray(),
          encoder.encode("dog").context());
    }
  }

  @Test
  void promptIsTooLongIfOneOfTheTokenizersCutsIt() {
    PromptEncoder encoder = xl.promptEncoder(backend);
    assertTrue(encoder.truncates("cat and dog and cat and dog and cat"));
    assertTrue(!encoder.truncates("red cat"));
  }

  private PromptEncoder.Tower tower(ClipTokenizer tokenizer) {
    return new PromptEncoder.Tower(xl.textEncoder().value().model(), tokenizer);
  }

  private PromptEncoder.Tower tower2(ClipTokenizer tokenizer) {
    return new PromptEncoder.Tower(xl.textEncoder2().value().model(), tokenizer);
  }

  private float[] penultimate(ClipTextModel text, ClipTokenizer tokenizer) {
    try (MemoryScope scope = backend.scope()) {
      return text.hiddenState(backend, tokenizer.encode("red cat").ids(), 1, 1).toArray();
    }
  }
}
