package org.diffusionrpo.kernels.cuda;

import java.util.Arrays;

/** Rows of a table by their number. */
public final class Embedding {
  private final CudaDevice device;

  public Embedding(CudaDevice device) {
    this.device = device;
  }

  /**
   * {@code y[i] = table[ids[i]]}, rows of {@code columns} elements.
   *
   * @throws IllegalArgumentException if an id is outside the table's buffer
   */
  public void forward(DeviceBuffer y, DeviceBuffer table, int[] ids, int columns) {
    checkIds(ids, table, columns);
    try (DeviceBuffer rows = device.memory().upload(ids)) {
      launch("embedding_forward", (long) ids.length * columns, y, table, rows, ids.length, columns);
    }
  }

  /** {@code dTable[ids[i]] += dy[i]}; nothing when dTable is null. Rows of equal id are added in the order of i. */
  public void backward(DeviceBuffer dTable, DeviceBuffer dy, int[] ids, int columns) {
    if (dTable == null) {
      return;
    }
    checkIds(ids, dTable, columns);
    int[] distinct = Arrays.stream(ids).sorted().distinct().toArray();
    int[] starts = new int[distinct.length + 1];
    int[] uses = usesById(ids, distinct, starts);
    try (DeviceBuffer rows = device.memory().upload(distinct);
        DeviceBuffer first = device.memory().upload(starts);
        DeviceBuffer order = device.memory().upload(uses)) {
      launch("embedding_backward", (long) distinct.length * columns, dTable, dy, rows, first, order, distinct.length,
          columns);
    }
  }

  /** The positions of each id, in order; those of {@code distinct[k]} begin at {@code starts[k]}. */
  private static int[] usesById(int[] ids, int[] distinct, int[] starts) {
    int[] place = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      place[i] = Arrays.binarySearch(distinct, ids[i]);
      starts[place[i] + 1]++;
    }
    Arrays.parallelPrefix(starts, Integer::sum);
    int[] next = starts.clone();
    int[] uses = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      uses[next[place[i]]++] = i;
    }
    return uses;
  }

  private static void checkIds(int[] ids, DeviceBuffer table, int columns) {
    long rows = table.bytes() / Float.BYTES / columns;
    for (int id : ids) {
      if (id < 0 || id >= rows) {
        throw new IllegalArgumentException("Embedding: id " + id + " is not a row of a table of " + rows + " rows");
      }
    }
  }

  private void launch(String kernel, long elements, Object... arguments) {
    device.module("embedding").launch(kernel, Elementwise.quads(elements), arguments);
  }
}
