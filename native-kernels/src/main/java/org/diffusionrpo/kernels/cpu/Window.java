package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * An NHWC image as a convolution sees it: a matrix with one row per output position (n, i, j) and one column per tap
 * and channel (t, u, c), never stored.
 * <pre>
 *   element = image[n, i * step + top + t * tapStep, j * step + left + u * tapStep, c], or 0 outside the image
 * </pre>
 * Forward: step is the stride, (top, left) = -(padTop, padLeft), tapStep = 1. Backward to the data: step 1, tapStep -1.
 *
 * <p>As an operand, i counts positions and p counts taps and channels; {@link #taps} is the other way round.
 */
record Window(float[] image, int height, int width, int channels, int rows, int columns, int tapRows, int tapColumns,
    int step, int tapStep, int top, int left) implements LineSource {

  @Override
  public void packLines(float[] lines, int at, int first, int count, int k0, int kc) {
    for (int i = 0; i < count; i++) {
      int position = first + i;
      int line = position / columns;
      int y = line % rows * step + top;
      int x = position % columns * step + left;
      packLine(lines, at + i * GemmTile.LINE, line / rows * height, y, x, k0, k0 + kc);
    }
  }

  /** Elements [k0, end) of the position whose first tap is pixel (y, x). Forward, the taps of a row are contiguous. */
  private void packLine(float[] lines, int at, int plane, int y, int x, int k0, int end) {
    boolean forward = tapStep == 1;
    int run = forward ? tapColumns * channels : channels;
    int to = at;
    for (int k = k0; k < end; ) {
      int unit = k / run;
      int start = k - unit * run;
      int length = Math.min(run - start, end - k);
      int row = forward ? y + unit : y + unit / tapColumns * tapStep;
      int column = forward ? x : x + unit % tapColumns * tapStep;
      copyInside(lines, to, plane + row, row, column * channels + start, length);
      to += length;
      k += length;
    }
  }

  /** Copies [from, from + length) of an image row, with zeros for what lies outside of it. */
  private void copyInside(float[] lines, int to, int imageRow, int row, int from, int length) {
    int start = Math.max(from, 0);
    int end = Math.min(from + length, width * channels);
    if (row < 0 || row >= height || start >= end) {
      Arrays.fill(lines, to, to + length, 0);
      return;
    }
    System.arraycopy(image, imageRow * width * channels + start, lines, to + start - from, end - start);
    if (end - start < length) {
      Arrays.fill(lines, to, to + start - from, 0);
      Arrays.fill(lines, to + end - from, to + length, 0);
    }
  }

  /** As an operand where i counts taps and channels, and p counts positions. */
  PanelSource taps() {
    return this::packTaps;
  }

  private void packTaps(GemmTile tile, float[] panel, int at, int panelWidth, int first, int count, int k0, int kc) {
    if (count < panelWidth) {
      Arrays.fill(panel, at, at + kc * panelWidth, 0);
    }
    for (int k = first; k < first + count; ) {
      int tap = k / channels;
      int c = k - tap * channels;
      int length = Math.min(channels - c, first + count - k);
      packTap(tile, panel, at + k - first, panelWidth, tap, c, length, k0, kc);
      k += length;
    }
  }

  /** Some channels of one tap at positions [k0, k0 + kc). */
  private void packTap(GemmTile tile, float[] panel, int at, int panelWidth, int tap, int c, int length, int k0,
      int kc) {
    int tapRow = tap / tapColumns * tapStep + top;
    int tapColumn = tap % tapColumns * tapStep + left;
    int j = k0 % columns;
    int line = k0 / columns;
    for (int p = 0; p < kc; line++, j = 0) {
      int row = line % rows * step + tapRow;
      int end = Math.min(columns, j + kc - p);
      boolean rowInside = row >= 0 && row < height;
      int left = rowInside ? Math.min(end, Math.max(j, firstInside(tapColumn))) : end;
      int right = rowInside ? Math.min(end, Math.max(left, endInside(tapColumn))) : end;
      int to = at + p * panelWidth;
      clear(panel, to, panelWidth, length, left - j);
      if (left < right) {
        int pixel = ((line / rows * height + row) * width + left * step + tapColumn) * channels + c;
        tile.copyRows(panel, to + (left - j) * panelWidth, panelWidth, image, pixel, step * channels, length,
            right - left);
      }
      clear(panel, to + (right - j) * panelWidth, panelWidth, length, end - right);
      p += end - j;
    }
  }

  /** First output column whose tap lies in the image, for a tap that starts at {@code tapColumn}. */
  private int firstInside(int tapColumn) {
    return tapColumn >= 0 ? 0 : MacroKernel.ceilDiv(-tapColumn, step);
  }

  /** One past the last output column whose tap lies in the image. */
  private int endInside(int tapColumn) {
    return tapColumn >= width ? 0 : MacroKernel.ceilDiv(width - tapColumn, step);
  }

  private static void clear(float[] panel, int at, int panelWidth, int length, int count) {
    for (int p = 0; p < count; p++) {
      Arrays.fill(panel, at + p * panelWidth, at + p * panelWidth + length, 0);
    }
  }
}
