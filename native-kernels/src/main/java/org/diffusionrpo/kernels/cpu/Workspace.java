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
  /** Attention: all keys in panels, and all values as rows, read by all threads. */
  KEY_PANELS,
  VALUE_ROWS,
  /** Panels of queries of one task of attention, which are columns forward. */
  QUERY_COLUMNS,
  QUERY_PANELS,
  /** Tile of scores of one task of attention, and its gradient. */
  SCORES,
  SCORE_GRADIENTS,
  /** Output of one task of attention, before it is transposed. */
  OUTPUT_COLUMNS,
  /** Log-sum-exps of attention to the base 2, and the deltas of its backward pass, read by all threads. */
  LOG_SUMS,
  DELTAS,
  /** A chunk of attention's keys and values backward, with their gradients. */
  KEY_COLUMNS,
  VALUE_COLUMNS,
  KEY_ROWS,
  KEY_GRADIENTS,
  VALUE_GRADIENTS,
  /** A tile of queries and of gradients of attention's output. */
  GRADIENT_PANELS,
  QUERY_ROWS,
  GRADIENT_ROWS,
  /** Gradient of a tile of queries. */
  QUERY_GRADIENTS,
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
