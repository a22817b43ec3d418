package org.diffusionrpo.kernels.cuda;

/**
 * How kernels that walk down the columns of a matrix cut it: tiles of 64 columns by chunks of rows, one block each.
 * Sums over the rows of a chunk are joined by a second kernel in the order of the chunks. The cut depends on the sizes
 * of one sample alone, so its sums do not change with the batch or the device.
 *
 * @param chunkRows rows of every chunk but the last
 */
record ColumnTiles(int rows, int columns, int chunkRows) {
  private static final int TILE_COLUMNS = 64;
  /** Rows that a block takes at once. */
  private static final int BLOCK_ROWS = 16;
  /** Blocks of one sample: a few for each multiprocessor, since a batch has few samples. */
  private static final int BLOCKS = 512;
  /** Below, the parts would be a large share of the data that they sum up. */
  private static final int MIN_CHUNK = 2 * BLOCK_ROWS;
  /** Above, float sums would lose digits. */
  private static final int MAX_CHUNK = 32 * BLOCK_ROWS;
  private static final int THREADS = 256;
  /** Columns of a block that joins parts. */
  private static final int JOIN_COLUMNS = 32;
  /** What the driver takes along y. */
  static final int MAX_Y = 65_535;

  static ColumnTiles of(int rows, int columns) {
    int chunks = Math.max(1, BLOCKS / Math.max(1, tiles(columns)));
    int wanted = ceil(ceil(rows, chunks), BLOCK_ROWS) * BLOCK_ROWS;
    return new ColumnTiles(rows, columns, Math.max(MIN_CHUNK, Math.min(MAX_CHUNK, wanted)));
  }

  int chunks() {
    return ceil(rows, chunkRows);
  }

  /** One block for each tile and chunk, samples along y. */
  Grid grid(int samples) {
    return Grid.of(Math.multiplyExact(tiles(columns), chunks()), Math.min(samples, MAX_Y), 1, THREADS);
  }

  /** Blocks that join the parts of all chunks, samples along y. */
  Grid join(int samples) {
    return Grid.of(ceil(columns, JOIN_COLUMNS), Math.min(samples, MAX_Y), 1, THREADS);
  }

  /** Bytes of {@code floats} parts for each sample, chunk and column. */
  long partBytes(int samples, int floats) {
    return (long) samples * chunks() * columns * floats * Float.BYTES;
  }

  private static int tiles(int columns) {
    return ceil(columns, TILE_COLUMNS);
  }

  private static int ceil(int n, int step) {
    return n == 0 ? 0 : (n - 1) / step + 1;
  }
}
