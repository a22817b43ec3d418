package org.diffusionrpo.kernels.cuda;

/**
 * How a kernel of {@link TiledAttention} cuts its work; the kernels have the same numbers, as parameters of
 * {@code Tile}.
 *
 * @param width features that the kernel is written for
 * @param rows tokens that a block owns
 * @param sharedBytes shared memory of a block
 */
record AttentionTile(int width, int rows, int sharedBytes) {
  static final int THREADS = 128;
  /** Wider heads would need more shared memory, or registers, than a block has. */
  static final int MAX_HEAD_DIM = 160;
  /** Features that are moved at once. */
  private static final int VECTOR = 4;
  /** Of the heads of Stable Diffusion 1 and 2 and CLIP. */
  private static final int[] WIDTHS = {40, 64, 80, MAX_HEAD_DIM};

  /** The three kernels: forward, gradients of the keys' side, gradients of the queries' side. */
  enum Pass { FORWARD, BACKWARD_KEYS, BACKWARD_QUERIES }

  static boolean fits(int headDim) {
    return headDim <= MAX_HEAD_DIM && headDim % VECTOR == 0;
  }

  /** The tile for a head of up to {@link #MAX_HEAD_DIM} features. */
  static AttentionTile of(Precision precision, Pass pass, int headDim) {
    for (int i = 0; i < WIDTHS.length; i++) {
      if (headDim <= WIDTHS[i]) {
        return precision.isHalf() ? half(pass, i) : fp32(pass, i);
      }
    }
    throw new IllegalArgumentException("no kernel for heads of " + headDim + " features");
  }

  /** Tiles of attention.cu: rows, tokens of the other side at once, and threads across them. */
  private static AttentionTile fp32(Pass pass, int i) {
    boolean forward = pass == Pass.FORWARD;
    int rows = (forward ? new int[] {128, 64, 64, 32} : new int[] {64, 64, 32, 16})[i];
    int columns = (forward ? new int[] {32, 32, 32, 16} : new int[] {32, 16, 32, 16})[i];
    int across = (forward ? new int[] {8, 8, 8, 8} : new int[] {8, 8, 16, 16})[i];
    int tokens = (forward ? rows : 2 * rows) + 2 * columns; // q, k, v; or q, dOut, k, v
    int pieces = 2 * rows * across;
    return new AttentionTile(WIDTHS[i], rows, (tokens * (WIDTHS[i] + 4) + pieces) * Float.BYTES);
  }

  /** Tiles of attention_mma.cu: 16-row products of a warp, tokens of the other side at once, warps that share rows. */
  private static AttentionTile half(Pass pass, int i) {
    boolean forward = pass == Pass.FORWARD;
    int products = forward && WIDTHS[i] <= 64 ? 2 : 1;
    int columns = (forward ? new int[] {32, 64, 32, 32} : new int[] {32, 32, 32, 16})[i];
    int split = !forward && WIDTHS[i] == MAX_HEAD_DIM ? 2 : 1;
    int rowWords = oddMultipleOf8((WIDTHS[i] + 15) / 16 * 8);
    int pairWords = oddMultipleOf8(WIDTHS[i]);
    int asRows = columns * rowWords;
    int asPairs = columns / 2 * pairWords;
    int words = switch (pass) {
      case FORWARD -> asRows + asPairs; // k, v
      case BACKWARD_KEYS -> 2 * (asRows + asPairs + columns); // q and dOut in both layouts; lse, delta
      case BACKWARD_QUERIES -> 2 * asRows + asPairs; // k in both layouts, v
    };
    return new AttentionTile(WIDTHS[i], 64 * products / split, 2 * words * Integer.BYTES);
  }

  private static int oddMultipleOf8(int words) {
    return words % 16 == 8 ? words : words + 8;
  }

  /** One block for each tile of tokens, head and sample. */
  Grid grid(int tokens, AttentionSizes sizes) {
    return Grid.of((tokens + rows - 1) / rows, sizes.heads(), sizes.samples(), THREADS).withShared(sharedBytes);
  }
}
