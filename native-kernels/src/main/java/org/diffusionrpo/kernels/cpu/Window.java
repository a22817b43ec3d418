package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * An NHWC image as a convolution sees it: a matrix with one row per output position (n, i, j) and one column per tap
 * and channel (t, u, c), never stored.
 * <pre>
 *   element = image[n, i * step + top + t * tapStep, j * step + left + u * tapStep, c], or 0 outside the image
 * </pre>
 * Forward: step is the stride, (top, left) = -(padTop, padLeft), tapStep = 1. Backward to the data: step 1, tapStep -1.
 */
record Window(float[] image, int height, int width, int channels, int rows, int columns, int tapRows, int tapColumns,
    int step, int tapStep, int top, int left) {

  /** As the left operand: i counts positions, p counts taps and channels. */
  PanelSource positions() {
    return this::packPositions;
  }

  /** As the right operand: i counts taps and channels, p counts positions. */
  PanelSource taps() {
    return this::packTaps;
  }

  private void packPositions(float[] panel, int at, int panelWidth, int first, int count, int k0, int kc) {
    for (int i = 0; i < count; i++) {
      int position = first + i;
      int j = position % columns;
      int ni = position / columns;
      int y = ni % rows * step + top;
      int x = j * step + left;
      int plane = ni / rows * height;
      for (int k = k0; k < k0 + kc; ) {
        int tap = k / channels;
        int c = k - tap * channels;
        int length = Math.min(channels - c, k0 + kc - k);
        int row = y + tap / tapColumns * tapStep;
        int column = x + tap % tapColumns * tapStep;
        int to = at + (k - k0) * panelWidth + i;
        if (inside(row, column)) {
          Transpose.line(panel, to, panelWidth, image, ((plane + row) * width + column) * channels + c, length);
        } else {
          Transpose.zeros(panel, to, panelWidth, length);
        }
        k += length;
      }
    }
    for (int i = count; i < panelWidth; i++) {
      Transpose.zeros(panel, at + i, panelWidth, kc);
    }
  }

  private void packTaps(float[] panel, int at, int panelWidth, int first, int count, int k0, int kc) {
    Arrays.fill(panel, at, at + kc * panelWidth, 0);
    for (int k = first; k < first + count; ) {
      int tap = k / channels;
      int c = k - tap * channels;
      int length = Math.min(channels - c, first + count - k);
      int tapRow = tap / tapColumns * tapStep + top;
      int tapColumn = tap % tapColumns * tapStep + left;
      int j = k0 % columns;
      int i = k0 / columns % rows;
      int plane = k0 / columns / rows * height;
      int to = at + k - first;
      for (int p = 0; p < kc; p++, to += panelWidth) {
        int row = i * step + tapRow;
        int column = j * step + tapColumn;
        if (inside(row, column)) {
          System.arraycopy(image, ((plane + row) * width + column) * channels + c, panel, to, length);
        }
        if (++j == columns) {
          j = 0;
          if (++i == rows) {
            i = 0;
            plane += height;
          }
        }
      }
      k += length;
    }
  }

  private boolean inside(int row, int column) {
    return row >= 0 && row < height && column >= 0 && column < width;
  }
}
