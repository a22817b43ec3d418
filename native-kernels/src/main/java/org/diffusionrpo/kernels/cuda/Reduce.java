package org.diffusionrpo.kernels.cuda;

import java.util.List;

/** Sums in double over fixed pieces, added in the order of the pieces. Results come back to the host: these wait. */
public final class Reduce {
  private final CudaDevice device;

  public Reduce(CudaDevice device) {
    this.device = device;
  }

  /** {@code sum x^2} over the first n elements. */
  public double sumOfSquares(DeviceBuffer x, long n) {
    return sumOfSquares(List.of(x), new long[] {n});
  }

  /** The sum over the first {@code counts[i]} elements of each buffer, with one wait for all of them. */
  public double sumOfSquares(List<DeviceBuffer> xs, long[] counts) {
    int parts = 0;
    for (long count : counts) {
      parts += PartSums.blocks(count);
    }
    double[] sum = new double[1];
    if (parts == 0) {
      return 0;
    }
    try (DeviceBuffer sums = take(parts); DeviceBuffer total = take(1)) {
      int first = 0;
      for (int i = 0; i < counts.length; i++) {
        int blocks = PartSums.blocks(counts[i]);
        launch("sum_of_squares_parts", Grid.of(blocks, PartSums.THREADS), sums.at((long) first * Double.BYTES),
            xs.get(i), counts[i]);
        first += blocks;
      }
      launch("sum_parts", Grid.of(1, PartSums.THREADS), total, sums, parts, 1.0);
      device.memory().read(sum, total);
    }
    return sum[0];
  }

  /** {@code out[n] = mean_c (a[n, c] - b[n, c])^2}. */
  public void squaredErrorPerSample(double[] out, DeviceBuffer a, DeviceBuffer b, int samples, int columns) {
    if (samples == 0) {
      return;
    }
    int blocks = PartSums.blocks(columns);
    try (DeviceBuffer parts = take((long) samples * blocks); DeviceBuffer errors = take(samples)) {
      launch("squared_error_parts", Grid.of(blocks, rows(samples), 1, PartSums.THREADS), parts, a, b, samples,
          (long) columns);
      launch("sum_parts", Grid.of(samples, PartSums.THREADS), errors, parts, blocks, (double) columns);
      device.memory().read(out, errors);
    }
  }

  /** {@code da[n, c] = weight[n] * 2 * (a - b) / columns}. da may be a or b. */
  public void squaredErrorBackward(DeviceBuffer da, DeviceBuffer a, DeviceBuffer b, float[] weight, int samples,
      int columns) {
    float[] scale = new float[samples];
    for (int sample = 0; sample < samples; sample++) {
      scale[sample] = (float) (2.0 * weight[sample] / columns);
    }
    try (DeviceBuffer scales = device.memory().upload(scale)) {
      launch("squared_error_backward", Grid.of(Elementwise.quads(columns).x(), rows(samples), 1, PartSums.THREADS), da,
          a, b, scales, samples, (long) columns);
    }
  }

  private static int rows(int samples) {
    return Math.min(samples, ColumnTiles.MAX_Y);
  }

  private DeviceBuffer take(long doubles) {
    return device.memory().take(doubles * Double.BYTES);
  }

  private void launch(String kernel, Grid grid, Object... arguments) {
    device.module("reduce").launch(kernel, grid, arguments);
  }
}
