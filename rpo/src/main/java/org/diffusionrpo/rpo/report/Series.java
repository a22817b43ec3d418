package org.diffusionrpo.rpo.report;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A curve.
 *
 * @param x positions, rising
 * @param y values; those that are not finite are left out of the drawing
 */
public record Series(String name, double[] x, double[] y) {
  public Series {
    if (x.length != y.length) {
      throw new IllegalArgumentException("series '" + name + "' has " + x.length + " positions and " + y.length
          + " values");
    }
  }

  /** Only the points with finite values. */
  Series finite() {
    int[] kept = IntStream.range(0, y.length).filter(i -> Double.isFinite(y[i])).toArray();
    return new Series(name, Arrays.stream(kept).mapToDouble(i -> x[i]).toArray(),
        Arrays.stream(kept).mapToDouble(i -> y[i]).toArray());
  }

  /** Centred moving average over {@code 2 * radius + 1} points, over fewer at the ends, equally many on both sides. */
  Series smoothed(int radius) {
    double[] sums = new double[y.length + 1];
    for (int i = 0; i < y.length; i++) {
      sums[i + 1] = sums[i] + y[i];
    }
    double[] smooth = new double[y.length];
    for (int i = 0; i < y.length; i++) {
      int r = Math.min(radius, Math.min(i, y.length - 1 - i));
      smooth[i] = (sums[i + r + 1] - sums[i - r]) / (2 * r + 1);
    }
    return new Series(name, x, smooth);
  }

  /** At most {@code 2 * buckets} points that keep every bucket's extremes, so that spikes survive. */
  Series thinned(int buckets) {
    int n = y.length;
    if (n <= 2 * buckets) {
      return this;
    }
    double[] tx = new double[2 * buckets];
    double[] ty = new double[2 * buckets];
    for (int b = 0; b < buckets; b++) {
      int from = (int) ((long) n * b / buckets);
      int to = (int) ((long) n * (b + 1) / buckets);
      int low = from;
      int high = from;
      for (int i = from; i < to; i++) {
        low = y[i] < y[low] ? i : low;
        high = y[i] > y[high] ? i : high;
      }
      int first = Math.min(low, high);
      int second = Math.max(low, high);
      tx[2 * b] = x[first];
      ty[2 * b] = y[first];
      tx[2 * b + 1] = x[second];
      ty[2 * b + 1] = y[second];
    }
    return new Series(name, tx, ty);
  }
}
