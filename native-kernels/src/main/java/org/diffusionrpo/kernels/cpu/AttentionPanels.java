package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Moves between the layout of a model, [samples, tokens, heads * headDim], and what {@link AttentionTile} reads.
 * <pre>
 *   panels    [matrices][tokens / MR][headDim][MR]     left operand of a sum over headDim
 *   rows      [matrices][tokens][headDim]              left operand of a sum over tokens, one column of tiles
 *                                                      for each MR features
 *   columns   [headDim][NR]                            right operand of a sum over headDim, one panel of tokens
 * </pre>
 * What fills up panels, or lies behind the last row, reaches only rows of results that nobody reads; of columns it is 0.
 */
final class AttentionPanels {
  private static final int MR = Simd.ATTENTION_TILE.rows();
  private static final int NR = Simd.ATTENTION_TILE.columns();
  /** Tokens that one task packs, a multiple of MR. */
  private static final int CHUNK = 256;

  private AttentionPanels() {}

  /** Length of a matrix in panels. */
  static int panelSize(int tokens, int headDim) {
    return ceil(tokens, MR) * headDim;
  }

  /** {@code scale * x} in panels, in the caller's workspace. */
  static float[] pack(Workspace place, float[] x, float scale, AttentionSizes sizes, int tokens) {
    int headDim = sizes.headDim();
    int stride = sizes.stride();
    int size = panelSize(tokens, headDim);
    float[] panels = place.floats(Math.multiplyExact(sizes.matrices(), size));
    forEachChunk(sizes, tokens, (matrix, source, first, end) -> {
      for (int token = first; token < end; token += MR) {
        int to = matrix * size + token * headDim;
        int from = source + token * stride;
        int count = Math.min(MR, end - token);
        for (int d = 0; d < headDim; d++) {
          for (int i = 0; i < count; i++) {
            panels[to + d * MR + i] = x[from + i * stride + d] * scale;
          }
        }
      }
    });
    return panels;
  }

  /** x as rows, in the caller's workspace. */
  static float[] rows(Workspace place, float[] x, AttentionSizes sizes, int tokens) {
    int headDim = sizes.headDim();
    float[] rows = place.floats(Math.addExact(Math.multiplyExact(sizes.matrices(), tokens * headDim), MR));
    forEachChunk(sizes, tokens, (matrix, source, first, end) -> {
      for (int token = first; token < end; token++) {
        int from = source + token * sizes.stride();
        System.arraycopy(x, from, rows, (matrix * tokens + token) * headDim, headDim);
      }
    });
    return rows;
  }

  private static void forEachChunk(AttentionSizes sizes, int tokens, ChunkTask work) {
    int chunks = (tokens + CHUNK - 1) / CHUNK;
    Parallel.run(sizes.matrices() * chunks, task -> {
      int matrix = task / chunks;
      int source = matrix / sizes.heads() * tokens * sizes.stride() + matrix % sizes.heads() * sizes.headDim();
      int first = task % chunks * CHUNK;
      work.run(matrix, source, first, Math.min(tokens, first + CHUNK));
    });
  }

  /** {@code columns[d][j] = scale * x[from + j * stride + d]} for count tokens j, from index {@code at} on. */
  static void packColumns(float[] columns, int at, float[] x, int from, int stride, int count, int headDim,
      float scale) {
    for (int d = 0; d < headDim; d++) {
      int line = at + d * NR;
      for (int j = 0; j < count; j++) {
        columns[line + j] = x[from + j * stride + d] * scale;
      }
      Arrays.fill(columns, line + count, line + NR, 0);
    }
  }

  /** {@code x[from + j * stride + d] = scale * columns[d][j]}. */
  static void unpackColumns(float[] x, int from, int stride, float[] columns, int at, int count, int headDim,
      float scale) {
    for (int j = 0; j < count; j++) {
      for (int d = 0; d < headDim; d++) {
        x[from + j * stride + d] = columns[at + d * NR + j] * scale;
      }
    }
  }

  static int ceil(int n, int step) {
    return (n + step - 1) / step * step;
  }

  /** Work on the tokens [first, end) of a matrix, whose token 0 lies at source. */
  private interface ChunkTask {
    void run(int matrix, int source, int first, int end);
  }
}
