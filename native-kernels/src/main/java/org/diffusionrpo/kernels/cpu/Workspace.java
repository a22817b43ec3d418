package org.diffusionrpo.kernels.cpu;

/** Scratch arrays of the calling thread, one per purpose. They only grow, so a running model allocates nothing. */
enum Workspace {
  /** Packed panels of the left operand. */
  PANELS_A,
  /** Packed panels of the right operand; belongs to the calling thread, read by all. */
  PANELS_B,
  /** Register tile at the edge of the result. */
  TILE,
  /** Lines of an operand that are about to be transposed. */
  LINES,
  /** Partial results of a product whose inner dimension is split. */
  PARTS,
  /** Transpose of the result, where that is the cheaper product. */
  SWAPPED,
  /** Keys of attention in panels; backward, queries. */
  KEYS,
  /** Values of attention as rows; backward, gradients of the output in panels. */
  VALUES,
  /** Panels of queries of one task of attention. */
  QUERY_COLUMNS,
  /** Tile of scores of one task of attention. */
  SCORES,
  /** Output of one task of attention, before it is transposed. */
  OUTPUT_COLUMNS,
  /** Queries of attention as rows. */
  QUERY_ROWS,
  /** Gradients of attention's output as rows. */
  GRADIENT_ROWS,
  /** Shares of the gradient of attention's queries, one for each task. */
  QUERY_SHARES,
  /** Pixels of one phase of a strided convolution's gradient. */
  PHASE,
  /** Transformed input tiles of a Winograd convolution. */
  WINOGRAD_IN,
  /** Its products, or the transformed gradients of its output tiles. */
  WINOGRAD_OUT,
  /** Its transformed filters or their gradients. */
  WINOGRAD_FILTERS,
  /** Lines of one tile or filter that are transformed along one axis. */
  WINOGRAD_HALF,
  /** Taps of one filter. */
  WINOGRAD_TAPS,
  /** Pixels of a tile at the edge of an image. */
  PATCH;

  private final ThreadLocal<float[]> arrays = ThreadLocal.withInitial(() -> new float[0]);

  /** An array of at least {@code length} floats with undefined content, valid until the next call on this thread. */
  float[] floats(int length) {
    float[] array = arrays.get();
    if (array.length < length) {
      array = new float[length];
      arrays.set(array);
    }
    return array;
  }
}
