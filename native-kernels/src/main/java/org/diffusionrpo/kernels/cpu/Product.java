package org.diffusionrpo.kernels.cpu;

/**
 * {@code c [m, n] (=|+=) a [m, k] x b [k, n] + bias [n]}: what a macro-kernel computes. {@code c} is row-major at
 * {@code cOffset} with leading dimension {@code ldc}; {@code bias} may be null.
 */
record Product(float[] c, int cOffset, int ldc, PanelSource a, PanelSource b, float[] bias, int m, int n, int k,
    boolean accumulate) {
  private static final int BLOCK = 16;

  /** The same sums in transposed order, {@code ct [n, m] = b^T x a^T}; {@link #addTransposed} completes the product. */
  Product swapped(float[] ct) {
    return new Product(ct, 0, m, b, a, null, n, m, k, false);
  }

  /** {@code c (=|+=) ct^T + bias} for rows [top, bottom). */
  void addTransposed(float[] ct, int top, int bottom) {
    for (int row = top; row < bottom; row += BLOCK) {
      int end = Math.min(row + BLOCK, bottom);
      for (int j = 0; j < n; j++) {
        float shift = bias == null ? 0 : bias[j];
        for (int i = row; i < end; i++) {
          int at = cOffset + i * ldc + j;
          float sum = accumulate ? c[at] + ct[j * m + i] : ct[j * m + i];
          c[at] = sum + shift;
        }
      }
    }
  }

  /** {@code c[row] (=|+=) sum of its parts, in order, + bias}; part s starts at {@code sums[(s * m + row) * n]}. */
  void addParts(float[] sums, int parts, int row) {
    int at = cOffset + row * ldc;
    for (int j = 0; j < n; j++) {
      float sum = accumulate ? c[at + j] : 0;
      c[at + j] = sum;
    }
    for (int part = 0; part < parts; part++) {
      int from = (part * m + row) * n;
      for (int j = 0; j < n; j++) {
        c[at + j] += sums[from + j];
      }
    }
    if (bias != null) {
      addBias(at, 0, n);
    }
  }

  /** {@code c[at + j] += bias[from + j]} for j in [0, length). */
  void addBias(int at, int from, int length) {
    for (int j = 0; j < length; j++) {
      c[at + j] += bias[from + j];
    }
  }

  /** The part of the sums that comes from inner indices [from, to), written to another array. */
  Product part(float[] sums, int at, int from, int to) {
    return new Product(sums, at, n, shifted(a, from), shifted(b, from), null, m, n, to - from, false);
  }

  private static PanelSource shifted(PanelSource source, int start) {
    if (source instanceof LineSource lines) {
      return (LineSource) (to, at, first, count, k0, kc) -> lines.packLines(to, at, first, count, start + k0, kc);
    }
    return (tile, panel, at, width, first, count, k0, kc) ->
        source.pack(tile, panel, at, width, first, count, start + k0, kc);
  }
}
