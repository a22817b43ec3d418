package org.diffusionrpo.kernels.cuda;

import org.diffusionrpo.kernels.cpu.Conv2d.Geometry;

/**
 * The windows that a convolution sees, as rows of a matrix, and their sum back into the image.
 * <pre>
 *   x [N, H, W, C]     windows [positions, R, S, C], positions counting through [N, OH, OW]
 *   windows[(n, i, j), r, s, c] = x[n, i * stride + r - padTop, j * stride + s - padLeft, c], or 0 outside the image
 * </pre>
 */
final class Im2col {
  private static final int THREADS = 256;
  private static final int MAX_LINES = 16_384;
  /** Channels that a thread moves at a time where their number allows it. */
  private static final int VECTOR = 4;

  private final CudaDevice device;

  Im2col(CudaDevice device) {
    this.device = device;
  }

  /** The windows of {@code count} output positions from {@code first} on, as floats. */
  void gather(DeviceBuffer windows, DeviceBuffer x, Geometry g, long first, int count) {
    int window = Math.multiplyExact(g.kernelHeight() * g.kernelWidth(), units(g.inChannels()));
    int lanes = lanes(window);
    launch("im2col", grid(window, count, lanes), windows, x, g.height(), g.width(), g.inChannels(), g.kernelHeight(),
        g.kernelWidth(), g.stride(), g.padTop(), g.padLeft(), g.outHeight(), g.outWidth(), first, count, lanes);
  }

  /**
   * Overwrites dx of {@code samples} images with the sums of their windows, of which those of output rows
   * [firstRow, firstRow + rows) of each image are in memory. The pieces of an image are summed from its first row to
   * its last: a piece overwrites the pixels that no earlier one reached, and adds to those that its first windows share
   * with the piece before.
   */
  void sum(DeviceBuffer dx, DeviceBuffer windows, Geometry g, int samples, int firstRow, int rows) {
    int reached = firstRow == 0 ? 0 : reached(g, firstRow);
    int from = Math.min(reached, Math.max(0, firstRow * g.stride() - g.padTop()));
    int end = firstRow + rows == g.outHeight() ? g.height() : reached(g, firstRow + rows);
    if (from == end) {
      return; // all in the padding
    }
    int units = units(g.inChannels());
    int lanes = lanes(units);
    launch("col2im", grid(units, (long) samples * (end - from) * g.width(), lanes), dx, windows, samples, g.height(),
        g.width(), g.inChannels(), g.kernelHeight(), g.kernelWidth(), g.stride(), g.padTop(), g.padLeft(),
        g.outWidth(), firstRow, rows, from, end, reached, lanes);
  }

  /** What the threads move of one pixel. */
  private static int units(int channels) {
    return channels % VECTOR == 0 ? channels / VECTOR : channels;
  }

  /** The end of the pixel rows that the windows of the first {@code outputRows} output rows see. */
  private static int reached(Geometry g, int outputRows) {
    return Math.max(0, Math.min(g.height(), (outputRows - 1) * g.stride() - g.padTop() + g.kernelHeight()));
  }

  /** Threads that share a line of {@code length}: a power of two. */
  private static int lanes(int length) {
    return Math.min(THREADS, Integer.highestOneBit(Math.max(1, 2 * length - 1)));
  }

  private static Grid grid(int length, long lines, int lanes) {
    int perBlock = THREADS / lanes;
    return Grid.of((length + lanes - 1) / lanes, (int) Math.min((lines + perBlock - 1) / perBlock, MAX_LINES), 1,
        THREADS);
  }

  private void launch(String kernel, Grid grid, Object... arguments) {
    device.module("im2col").launch(kernel, grid, arguments);
  }
}
