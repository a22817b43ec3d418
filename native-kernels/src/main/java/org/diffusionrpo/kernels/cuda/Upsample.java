package org.diffusionrpo.kernels.cuda;

/** Nearest-neighbour resizing of NHWC data: output pixel i shows input pixel {@code floor(i * in / out)}. */
public final class Upsample {
  private static final int THREADS = 256;

  private final CudaDevice device;

  public Upsample(CudaDevice device) {
    this.device = device;
  }

  /** x [samples, height, width, channels], y [samples, outHeight, outWidth, channels]. */
  public void nearestForward(DeviceBuffer y, DeviceBuffer x, int samples, int height, int width, int channels,
      int outHeight, int outWidth) {
    device.module("upsample").launch("upsample_forward", lines((long) samples * outHeight, outWidth, channels), y, x,
        samples, height, width, channels, outHeight, outWidth);
  }

  /** Overwrites dx: each input pixel gets the sum over the output pixels that show it, in row-major order. */
  public void nearestBackward(DeviceBuffer dx, DeviceBuffer dy, int samples, int height, int width, int channels,
      int outHeight, int outWidth) {
    device.module("upsample").launch("upsample_backward", lines((long) samples * height, width, channels), dx, dy,
        samples, height, width, channels, outHeight, outWidth);
  }

  /** Lines of pixels along y. */
  private static Grid lines(long lines, int width, int channels) {
    long quads = ((long) width * channels + 3) / 4;
    return Grid.of(Math.toIntExact((quads + THREADS - 1) / THREADS), (int) Math.min(lines, ColumnTiles.MAX_Y), 1,
        THREADS);
  }
}
