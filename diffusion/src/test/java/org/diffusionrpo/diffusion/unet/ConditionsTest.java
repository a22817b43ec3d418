package org.diffusionrpo.diffusion.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.diffusionrpo.tensor.Backend;
import org.diffusionrpo.tensor.MemoryScope;
import org.diffusionrpo.tensor.Shape;
import org.diffusionrpo.tensor.cpu.CpuBackend;
import org.junit.jupiter.api.Test;

class ConditionsTest {
  private static final Shape CONTEXT = Shape.of(2, 1);

  @Test
  void batchHoldsItsSamplesInOrderAndTimeIdsAsDiffusersDoes() {
    try (Backend backend = CpuBackend.poisoned(); MemoryScope scope = backend.scope()) {
      Conditions conditions = Conditions.of(backend, CONTEXT,
          List.of(new TextEmbedding(new float[] {1, 2}, new float[] {5, 6, 7}),
              new TextEmbedding(new float[] {3, 4}, new float[] {8, 9, 10})),
          List.of(new TimeIds(600, 800, 12, 34, 512, 256), TimeIds.of(64, 32)));
      assertEquals(Shape.of(2, 2, 1), conditions.context().shape());
      assertArrayEquals(new float[] {1, 2, 3, 4}, conditions.context().toArray());
      assertArrayEquals(new float[] {5, 6, 7, 8, 9, 10}, conditions.added().textEmbeds().toArray());
      assertArrayEquals(new float[][] {{600, 800, 12, 34, 512, 256}, {64, 32, 0, 0, 64, 32}},
          conditions.added().timeIds());
    }
  }

  @Test
  void textsWithoutPooledEmbeddingGiveNothingToAdd() {
    try (Backend backend = CpuBackend.poisoned(); MemoryScope scope = backend.scope()) {
      List<TextEmbedding> texts = List.of(new TextEmbedding(new float[] {1, 2}));
      assertNull(Conditions.of(backend, CONTEXT, texts, List.of(TimeIds.of(8, 8))).added());
    }
  }
}
