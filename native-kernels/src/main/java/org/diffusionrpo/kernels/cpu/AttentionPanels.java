package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Moves between the layout of a model, [samples, tokens, heads * headDim], and what {@link AttentionTile} reads.
 * <pre>
 *   panels    [tokens / MR][headDim][MR]     left operand of a sum over headDim
 *   rows      [tokens][headDim]              left operand of a sum over tokens, MR features at a time
 *   columns   [headDim][NR]                  right operand of a sum over headDim, one panel of tokens
 * </pre>
 * What fills up panels, or lies behind the last row, reaches only rows of results that nobody reads; of columns it is
 * 0. Tokens lie {@code stride} apart, the first at index {@code from} of x.
 */
final class AttentionPanels {
  private static final int MR = Simd.ATTENTION_TILE.rows();
  private static final int NR = Simd.ATTENTION_TILE.columns();
  /** Tokens that are transposed at once: the loop over features then has eight independent moves. */
  private static final int GROUP = 8;

  private AttentionPanels() {}

  /** Length of so many tokens in panels. */
  static int panelSize(int tokens, int headDim) {
    return ceil(tokens, MR) * headDim;
  }

  /** Length of so many tokens as rows: tiles read MR features at a time. */
  static int rowSize(int tokens, int headDim) {
    return Math.addExact(Math.multiplyExact(tokens, headDim), MR);
  }

  /** {@code scale * x} in panels, from index {@code at} on. */
  static void packPanels(float[] panels, int at, float[] x, int from, int stride, int count, int headDim, float scale) {
    for (int token = 0; token < count; token += MR) {
      int tokens = Math.min(MR, count - token);
      transpose(panels, at + token * headDim, MR, x, from + token * stride, stride, tokens, headDim, scale);
    }
  }

  /** x as rows, {@code width} apart, from index {@code at} on. */
  static void copyRows(float[] rows, int at, int width, float[] x, int from, int stride, int count, int headDim) {
    for (int token = 0; token < count; token++) {
      System.arraycopy(x, from + token * stride, rows, at + token * width, headDim);
    }
  }

  /**
   * {@code columns[d][j] = scale * x[from + j * stride + d]} for count tokens j, from index {@code at} on. All tokens in
   * turn, since x may lie outside the cache: their first misses are waited for together.
   */
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

  /** {@code to[at + d * width + j] = scale * x[from + j * stride + d]}. */
  private static void transpose(float[] to, int at, int width, float[] x, int from, int stride, int count, int headDim,
      float scale) {
    int j = 0;
    for (; j + GROUP <= count; j += GROUP) {
      transposeGroup(to, at + j, width, x, from + j * stride, stride, headDim, scale);
    }
    for (; j < count; j++) {
      int source = from + j * stride;
      int target = at + j;
      for (int d = 0; d < headDim; d++) {
        to[target + d * width] = x[source + d] * scale;
      }
    }
  }

  private static void transposeGroup(float[] to, int at, int width, float[] x, int x0, int stride, int headDim,
      float scale) {
    int x1 = x0 + stride;
    int x2 = x1 + stride;
    int x3 = x2 + stride;
    int x4 = x3 + stride;
    int x5 = x4 + stride;
    int x6 = x5 + stride;
    int x7 = x6 + stride;
    int target = at;
    for (int d = 0; d < headDim; d++, target += width) {
      to[target] = x[x0 + d] * scale;
      to[target + 1] = x[x1 + d] * scale;
      to[target + 2] = x[x2 + d] * scale;
      to[target + 3] = x[x3 + d] * scale;
      to[target + 4] = x[x4 + d] * scale;
      to[target + 5] = x[x5 + d] * scale;
      to[target + 6] = x[x6 + d] * scale;
      to[target + 7] = x[x7 + d] * scale;
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
}
