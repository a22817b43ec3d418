package org.diffusionrpo.kernels.cuda;

/** How long sums are cut: one part in double to a block, so few that one more block can add them up. */
final class PartSums {
  /** Elements that make a block worth its part. */
  private static final int BLOCK_ELEMENTS = 4096;
  private static final int MAX_BLOCKS = 1024;
  static final int THREADS = 256;

  private PartSums() {}

  /** Blocks, and parts, of a sum over n elements. */
  static int blocks(long n) {
    return (int) Math.max(1, Math.min((n + BLOCK_ELEMENTS - 1) / BLOCK_ELEMENTS, MAX_BLOCKS));
  }
}
