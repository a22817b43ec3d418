package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/** Elementwise arithmetic, broadcasts with the sums that are their gradients, and concatenation. */
public final class Elementwise {
  private static final ArrayMath MATH = Simd.MATH;

  private Elementwise() {}

  /** {@code y = a + b} on the first n elements. */
  public static void add(float[] y, float[] a, float[] b, int n) {
    Parallel.ranges(n, Parallel.GRAIN, (from, to) -> MATH.add(y, from, a, from, b, from, to - from));
  }

  /** {@code y += x}. */
  public static void addTo(float[] y, float[] x, int n) {
    add(y, y, x, n);
  }

  /** {@code y = s * x}. */
  public static void scale(float[] y, float[] x, float s, int n) {
    Parallel.ranges(n, Parallel.GRAIN, (from, to) -> MATH.scale(y, from, x, from, s, to - from));
  }

  /** {@code y += a * x}. */
  public static void axpy(float[] y, float a, float[] x, int n) {
    Parallel.ranges(n, Parallel.GRAIN, (from, to) -> MATH.axpy(y, from, a, x, from, to - from));
  }

  /** {@code y = v}. */
  public static void fill(float[] y, float v, int n) {
    Parallel.ranges(n, Parallel.GRAIN, (from, to) -> Arrays.fill(y, from, to, v));
  }

  /** {@code average += weight * (x - average)}, the step of a moving average. */
  public static void lerp(float[] average, float[] x, float weight, int n) {
    Parallel.ranges(n, Parallel.GRAIN, (from, to) -> MATH.lerp(average, from, x, from, weight, to - from));
  }

  /** {@code y[r, c] = x[r, c] + v[c]}. */
  public static void addBroadcast(float[] y, float[] x, float[] v, int rows, int columns) {
    addPerSample(y, x, v, 1, rows, columns);
  }

  /** {@code dv[c] += sum_r dy[r, c]}; nothing when dv is null. */
  public static void sumRows(float[] dv, float[] dy, int rows, int columns) {
    sumPositions(dv, dy, 1, rows, columns);
  }

  /** {@code y[n, p, c] = x[n, p, c] + v[n, c]}. */
  public static void addPerSample(float[] y, float[] x, float[] v, int samples, int positions, int channels) {
    Parallel.ranges(samples * positions, rowsPerTask(channels), (from, to) -> {
      for (int row = from; row < to; row++) {
        MATH.add(y, row * channels, x, row * channels, v, row / positions * channels, channels);
      }
    });
  }

  /** {@code dv[n, c] += sum_p dy[n, p, c]}; nothing when dv is null. */
  public static void sumPositions(float[] dv, float[] dy, int samples, int positions, int channels) {
    if (dv == null) {
      return;
    }
    RowSpans spans = new RowSpans(positions, channels);
    double[][] parts = new double[samples * spans.count()][];
    Parallel.run(parts.length, task -> {
      int sample = task / spans.count();
      float[] tileSum = new float[channels];
      double[] sum = new double[channels];
      spans.forEachTile(task % spans.count(), (row, rows) -> {
        MATH.columnSums(tileSum, 0, dy, (sample * positions + row) * channels, rows, channels, channels);
        RowSpans.addTo(sum, tileSum);
      });
      parts[task] = sum;
    });
    for (int sample = 0; sample < samples; sample++) {
      double[] sum = spans.total(parts, sample);
      for (int c = 0; c < channels; c++) {
        dv[sample * channels + c] += (float) sum[c];
      }
    }
  }

  /** {@code y[o] = [a[o], b[o]]}: joins rows of innerA and innerB elements. */
  public static void concat(float[] y, float[] a, float[] b, int outer, int innerA, int innerB) {
    int inner = innerA + innerB;
    Parallel.ranges(outer, rowsPerTask(inner), (from, to) -> {
      for (int o = from; o < to; o++) {
        System.arraycopy(a, o * innerA, y, o * inner, innerA);
        System.arraycopy(b, o * innerB, y, o * inner + innerA, innerB);
      }
    });
  }

  /** {@code [a[o], b[o]] = y[o]}, the gradient of {@link #concat}; a or b may be null when it is not wanted. */
  public static void split(float[] a, float[] b, float[] y, int outer, int innerA, int innerB) {
    int inner = innerA + innerB;
    Parallel.ranges(outer, rowsPerTask(inner), (from, to) -> {
      for (int o = from; o < to; o++) {
        if (a != null) {
          System.arraycopy(y, o * inner, a, o * innerA, innerA);
        }
        if (b != null) {
          System.arraycopy(y, o * inner + innerA, b, o * innerB, innerB);
        }
      }
    });
  }

  /** Rows of {@code columns} elements that make one task of an elementwise kernel. */
  static int rowsPerTask(int columns) {
    return Math.max(1, Parallel.GRAIN / Math.max(1, columns));
  }
}
