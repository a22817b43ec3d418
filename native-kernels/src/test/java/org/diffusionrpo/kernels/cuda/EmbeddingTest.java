package org.diffusionrpo.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmbeddingTest extends OnDevice {
  private static final int ROWS = 11;

  private final Embedding embedding = new Embedding(device);

  /** Rows that share an id are added in their order, as on the CPU. */
  @ParameterizedTest
  @CsvSource({"1,false", "3,false", "64,false", "64,true", "770,false"})
  void hasTheBitsOfTheCpu(int columns, boolean odd) {
    int[] ids = {10, 3, 3, 0, 10, 3, 7, 10, 10, 0, 10};
    float[] table = gaussian(1, ROWS * columns);
    float[] y = new float[ids.length * columns];
    DeviceBuffer rows = empty(y.length, odd);
    embedding.forward(rows, upload(table), ids, columns);
    org.diffusionrpo.kernels.cpu.Embedding.forward(y, table, ids, columns);
    assertArrayEquals(y, read(rows, y.length));

    float[] dy = gaussian(2, y.length);
    float[] dTable = gaussian(3, table.length);
    DeviceBuffer gradient = upload(dTable, odd);
    embedding.backward(gradient, upload(dy), ids, columns);
    org.diffusionrpo.kernels.cpu.Embedding.backward(dTable, dy, ids, columns);
    assertArrayEquals(dTable, read(gradient, dTable.length));
    embedding.backward(null, rows, ids, columns);
  }

  @Test
  void noIdsAreNoWork() {
    DeviceBuffer table = upload(gaussian(1, 6));
    embedding.forward(empty(0), table, new int[0], 2);
    embedding.backward(table, empty(0), new int[0], 2);
    assertArrayEquals(gaussian(1, 6), read(table, 6));
  }

  @Test
  void idsOutsideTheTableAreRefused() {
    DeviceBuffer table = upload(gaussian(1, 6));
    DeviceBuffer y = empty(2);
    assertThrows(IllegalArgumentException.class, () -> embedding.forward(y, table, new int[] {-1}, 2));
    assertThrows(IllegalArgumentException.class, () -> embedding.forward(y, table, new int[] {1 << 20}, 2));
    assertThrows(IllegalArgumentException.class, () -> embedding.backward(table, y, new int[] {1 << 20}, 2));
  }
}
