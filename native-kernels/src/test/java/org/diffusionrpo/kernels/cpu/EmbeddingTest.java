package org.diffusionrpo.kernels.cpu;

import static org.diffusionrpo.kernels.cpu.Oracle.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbeddingTest {
  private static final int[] IDS = {3, 0, 9, 3, 3, 1};

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 16, 33, 100, 768})
  void backwardAddsWhatForwardCopies(int columns) {
    float[] table = gaussian(1, 10 * columns);
    float[] y = new float[IDS.length * columns];
    Embedding.forward(y, table, IDS, columns);
    float[] dy = gaussian(2, y.length);
    float[] dTable = gaussian(3, table.length);
    double[] expected = toDouble(dTable);
    Embedding.backward(dTable, dy, IDS, columns);
    for (int i = 0; i < y.length; i++) {
      int at = IDS[i / columns] * columns + i % columns;
      assertEquals(table[at], y[i]);
      expected[at] += dy[i];
    }
    assertClose("dTable", expected, dTable, 2e-7);
    Embedding.backward(null, dy, IDS, columns);
  }

  @Test
  void idsOutsideTheTableAreNamed() {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
        () -> Embedding.forward(new float[4], new float[20], new int[] {1, 10}, 2));
    assertEquals("Embedding: id 10 is not a row of a table of 10 rows", e.getMessage());
  }
}
