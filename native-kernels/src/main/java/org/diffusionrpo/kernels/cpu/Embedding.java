package org.diffusionrpo.kernels.cpu;

/** Rows of a table by their number. */
public final class Embedding {
  /** Columns of one task of the backward pass: four cache lines. */
  private static final int COLUMN_BLOCK = 64;

  private Embedding() {}

  /**
   * {@code y[i] = table[ids[i]]}, rows of {@code columns} elements.
   *
   * @throws IllegalArgumentException if an id is not a row of the table
   */
  public static void forward(float[] y, float[] table, int[] ids, int columns) {
    int rows = table.length / columns;
    for (int id : ids) {
      if (id < 0 || id >= rows) {
        throw new IllegalArgumentException("Embedding: id " + id + " is not a row of a table of " + rows + " rows");
      }
    }
    Parallel.ranges(ids.length, Elementwise.rowsPerTask(columns), (from, to) -> {
      for (int i = from; i < to; i++) {
        System.arraycopy(table, ids[i] * columns, y, i * columns, columns);
      }
    });
  }

  /** {@code dTable[ids[i]] += dy[i]}; nothing when dTable is null. Rows of equal id are added in the order of i. */
  public static void backward(float[] dTable, float[] dy, int[] ids, int columns) {
    if (dTable == null) {
      return;
    }
    Parallel.ranges(columns, COLUMN_BLOCK, (from, to) -> {
      for (int i = 0; i < ids.length; i++) {
        int row = ids[i] * columns + from;
        Simd.MATH.add(dTable, row, dTable, row, dy, i * columns + from, to - from);
      }
    });
  }
}
