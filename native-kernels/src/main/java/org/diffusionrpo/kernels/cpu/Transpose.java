package org.diffusionrpo.kernels.cpu;

/** Turns lines that are contiguous along the inner dimension into the columns of a panel. */
final class Transpose {
  private Transpose() {}

  /** {@code panel[at + p * width + i] = lines[from + i * ld + p]} for i in [0, count); zero for i in [count, width). */
  static void lines(float[] panel, int at, int width, float[] lines, int from, int ld, int count, int length) {
    for (int i = 0; i < count; i++) {
      line(panel, at + i, width, lines, from + i * ld, length);
    }
    for (int i = count; i < width; i++) {
      zeros(panel, at + i, width, length);
    }
  }

  /** {@code panel[at + p * width] = line[from + p]} for p in [0, length). */
  static void line(float[] panel, int at, int width, float[] line, int from, int length) {
    int to = at;
    for (int p = 0; p < length; p++, to += width) {
      panel[to] = line[from + p];
    }
  }

  /** {@code panel[at + p * width] = 0} for p in [0, length). */
  static void zeros(float[] panel, int at, int width, int length) {
    int to = at;
    for (int p = 0; p < length; p++, to += width) {
      panel[to] = 0;
    }
  }
}
