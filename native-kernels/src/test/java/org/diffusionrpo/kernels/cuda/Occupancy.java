package org.diffusionrpo.kernels.cuda;

/**
 * How many of a multiprocessor's threads can be resident at once. Sizes from the CUDA C++ programming guide, "Technical
 * specifications per compute capability".
 *
 * @param sharedBytes shared memory of a multiprocessor
 * @param reservedBytes what the system takes of it for each block
 */
record Occupancy(int threads, int blocks, int sharedBytes, int reservedBytes) {
  private static final int REGISTERS = 64 << 10;
  private static final int WARP = 32;
  /** Registers are given to a warp in this step. */
  private static final int REGISTER_STEP = 256;
  /** Warps live on one of four partitions, each with a quarter of the registers. */
  private static final int PARTITIONS = 4;
  private static final int SHARED_STEP = 128;

  static Occupancy of(int device) {
    return switch (device) {
      case 75 -> new Occupancy(1024, 16, 64 << 10, 0);
      case 80 -> new Occupancy(2048, 32, 164 << 10, 1024);
      case 86 -> new Occupancy(1536, 16, 100 << 10, 1024);
      case 89 -> new Occupancy(1536, 24, 100 << 10, 1024);
      case 90 -> new Occupancy(2048, 32, 228 << 10, 1024);
      case 120 -> new Occupancy(1536, 24, 100 << 10, 1024);
      default -> throw new IllegalArgumentException("sizes of sm_" + device + " are not known");
    };
  }

  /** The share of the threads, for blocks of {@code blockThreads}. */
  double share(int blockThreads, int registers, int blockShared) {
    int warps = (blockThreads + WARP - 1) / WARP;
    int perWarp = up(registers * WARP, REGISTER_STEP);
    int warpsByRegisters = REGISTERS / PARTITIONS / perWarp * PARTITIONS;
    int resident = Math.min(blocks, Math.min(threads / WARP / warps, warpsByRegisters / warps));
    int shared = up(blockShared + reservedBytes, SHARED_STEP);
    if (shared > 0) {
      resident = Math.min(resident, sharedBytes / shared);
    }
    return (double) resident * warps * WARP / threads;
  }

  private static int up(int n, int step) {
    return (n + step - 1) / step * step;
  }
}
