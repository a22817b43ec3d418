package org.diffusionrpo.kernels.cpu;

/**
 * The tiles of one 3 x 3 convolution with stride 1: each covers 4 x 4 pixels of the output and the 6 x 6 pixels of the
 * input that they see, two of which it shares with its neighbours. Tiles are counted row by row, image by image.
 *
 * @param height rows of the input
 * @param padTop rows of zeros above it
 * @param outHeight rows of the output
 */
record WinogradTiles(int batch, int height, int width, int padTop, int padLeft, int outHeight, int outWidth) {
  /** Output pixels of a tile along one axis. */
  static final int OUT = 4;
  /** Input pixels of a tile along one axis. */
  static final int IN = 6;
  /** Values of a transformed tile in each channel. */
  static final int POINTS = IN * IN;

  /** Tiles of y = convolution(x, w). */
  static WinogradTiles forward(Conv2d.Geometry g) {
    return new WinogradTiles(g.batch(), g.height(), g.width(), g.padTop(), g.padLeft(), g.outHeight(), g.outWidth());
  }

  /** Tiles of dx, the convolution of dy with the filters turned by half a turn. */
  static WinogradTiles backward(Conv2d.Geometry g) {
    return new WinogradTiles(g.batch(), g.outHeight(), g.outWidth(), 2 - g.padTop(), 2 - g.padLeft(), g.height(),
        g.width());
  }

  int count() {
    return Math.multiplyExact(batch, tileRows() * tileColumns());
  }

  private int tileRows() {
    return MacroKernel.ceilDiv(outHeight, OUT);
  }

  private int tileColumns() {
    return MacroKernel.ceilDiv(outWidth, OUT);
  }

  private int image(int tile) {
    return tile / (tileRows() * tileColumns());
  }

  /** First output row of a tile. */
  private int top(int tile) {
    return tile / tileColumns() % tileRows() * OUT;
  }

  private int left(int tile) {
    return tile % tileColumns() * OUT;
  }

  /** Where the input pixels of a tile are: in the image itself, or, at its edge, in a copy with zeros around it. */
  Patch inputPatch(float[] x, int channels, int tile) {
    return patch(x, channels, image(tile), top(tile) - padTop, left(tile) - padLeft, height, width, IN);
  }

  /** The same for the output pixels. */
  Patch outputPatch(float[] y, int channels, int tile) {
    return patch(y, channels, image(tile), top(tile), left(tile), outHeight, outWidth, OUT);
  }

  /** Where a tile's output may be written: in the image itself, or, at its edge, to scratch that {@link #store} cuts. */
  Patch outputTarget(float[] y, int channels, int tile) {
    if (wholeOutput(tile)) {
      return outputPatch(y, channels, tile);
    }
    return new Patch(Workspace.PATCH.floats(OUT * OUT * channels), 0, OUT * channels, channels);
  }

  /** Completes {@link #outputTarget}: copies channels [first, first + count) of the pixels that exist. */
  void store(Patch patch, float[] y, int channels, int first, int count, int tile) {
    if (wholeOutput(tile)) {
      return;
    }
    int columns = Math.min(OUT, outWidth - left(tile));
    for (int i = 0; i < Math.min(OUT, outHeight - top(tile)); i++) {
      int row = (image(tile) * outHeight + top(tile) + i) * outWidth + left(tile);
      for (int j = 0; j < columns; j++) {
        System.arraycopy(patch.data(), i * patch.rowStep() + j * channels + first, y, (row + j) * channels + first,
            count);
      }
    }
  }

  private boolean wholeOutput(int tile) {
    return top(tile) + OUT <= outHeight && left(tile) + OUT <= outWidth;
  }

  private static Patch patch(float[] x, int channels, int image, int top, int left, int height, int width, int size) {
    if (top >= 0 && left >= 0 && top + size <= height && left + size <= width) {
      int start = ((image * height + top) * width + left) * channels;
      return new Patch(x, start, width * channels, channels);
    }
    float[] copy = Workspace.PATCH.floats(size * size * channels);
    java.util.Arrays.fill(copy, 0, size * size * channels, 0);
    int from = Math.max(0, -left);
    int to = Math.min(size, width - left);
    for (int i = Math.max(0, -top); i < Math.min(size, height - top); i++) {
      int source = ((image * height + top + i) * width + left + from) * channels;
      System.arraycopy(x, source, copy, (i * size + from) * channels, (to - from) * channels);
    }
    return new Patch(copy, 0, size * channels, channels);
  }

  /** A square of pixels: pixel (i, j) begins at {@code start + i * rowStep + j * pixelStep}. */
  record Patch(float[] data, int start, int rowStep, int pixelStep) {}
}
