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

  /**
   * Local linear regression over the {@code 2 * radius + 1} nearest points, over fewer at the ends. Inside it is the
   * moving average; at the ends it follows the trend instead of lagging behind it.
   */
  Series smoothed(int radius) {
    if (radius == 0) {
      return this;
    }
    double[] smooth = new double[y.length];
    for (int i = 0; i < y.length; i++) {
      int from = Math.max(i - radius, 0);
      int to = Math.min(i + radius, y.length - 1);
      double n = to - from + 1;
      double meanX = 0;
      double meanY = 0;
      for (int k = from; k <= to; k++) {
        meanX += x[k] / n;
        meanY += y[k] / n;
      }
      double xx = 0;
      double xy = 0;
      for (int k = from; k <= to; k++) {
        xx += (x[k] - meanX) * (x[k] - meanX);
        xy += (x[k] - meanX) * (y[k] - meanY);
      }
      smooth[i] = meanY + (xx > 0 ? xy / xx * (x[i] - meanX) : 0);
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
