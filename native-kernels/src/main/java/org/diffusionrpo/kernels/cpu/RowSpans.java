package org.diffusionrpo.kernels.cpu;

/**
 * Cuts the rows of a row-major [rows, columns] block into spans, one per task, and each span into tiles that stay in
 * the nearest caches. Float sums run over a tile, double sums over tiles and spans. The cuts depend on the shape
 * alone, so a sum has one order for every number of threads.
 */
final class RowSpans {
  private static final int TILE_ELEMENTS = 16 * 1024;
  /** A lane adds at most so many rows in float. */
  private static final int TILE_ROWS = 128;
  private static final int TILES_PER_SPAN = 4;

  private final int rows;
  private final int tileRows;
  private final int spanRows;

  RowSpans(int rows, int columns) {
    this.rows = rows;
    this.tileRows = Math.max(1, Math.min(TILE_ROWS, TILE_ELEMENTS / Math.max(1, columns)));
    this.spanRows = tileRows * TILES_PER_SPAN;
  }

  int count() {
    return (rows + spanRows - 1) / spanRows;
  }

  int start(int span) {
    return span * spanRows;
  }

  int size(int span) {
    return Math.min(spanRows, rows - start(span));
  }

  /** Calls {@code work} with the first row and the number of rows of each tile of a span, in order. */
  void forEachTile(int span, TileWork work) {
    int end = start(span) + size(span);
    for (int row = start(span); row < end; row += tileRows) {
      work.run(row, Math.min(tileRows, end - row));
    }
  }

  /** The sum of a sample's parts, {@code parts[sample * count() + span]}, in the order of the spans. */
  double[] total(double[][] parts, int sample) {
    double[] total = parts[sample * count()].clone();
    for (int span = 1; span < count(); span++) {
      double[] part = parts[sample * count() + span];
      for (int i = 0; i < total.length; i++) {
        total[i] += part[i];
      }
    }
    return total;
  }

  /** {@code sum += part}. */
  static void addTo(double[] sum, float[] part) {
    for (int i = 0; i < part.length; i++) {
      sum[i] += part[i];
    }
  }

  /** Work on {@code rows} rows from {@code row} on. */
  @FunctionalInterface
  interface TileWork {
    void run(int row, int rows);
  }
}
