package org.diffusionrpo.kernels.cuda;

/**
 * The shape of a launch.
 *
 * @param threads threads of a block, along x
 * @param sharedBytes dynamic shared memory of a block
 */
record Grid(int x, int y, int z, int threads, int sharedBytes) {
  private static final int ELEMENT_THREADS = 256;

  /** Enough blocks to fill the largest device several times over; beyond, each thread takes several elements. */
  private static final int MAX_ELEMENT_BLOCKS = 16_384;

  /** For kernels that walk over n elements in strides of the whole grid. */
  static Grid elements(long n) {
    return of((int) Math.min((n + ELEMENT_THREADS - 1) / ELEMENT_THREADS, MAX_ELEMENT_BLOCKS), ELEMENT_THREADS);
  }

  static Grid of(int blocks, int threads) {
    return new Grid(blocks, 1, 1, threads, 0);
  }

  static Grid of(int x, int y, int z, int threads) {
    return new Grid(x, y, z, threads, 0);
  }

  Grid withShared(int bytes) {
    return new Grid(x, y, z, threads, bytes);
  }
}
