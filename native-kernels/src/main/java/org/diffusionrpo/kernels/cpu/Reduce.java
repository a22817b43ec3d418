package org.diffusionrpo.kernels.cpu;

/**
 * Sums in double over fixed pieces, added in the order of the pieces. In plain Java: half vectors of floats for vectors
 * of doubles would be a second width, which stops the inlining of all vector loads on JDK 17.
 */
public final class Reduce {
  private static final int PIECE = 64 * 1024;

  private Reduce() {}

  /** {@code sum x^2} over the first n elements. */
  public static double sumOfSquares(float[] x, int n) {
    return sumOfPieces(n, (from, to) -> sumOfSquares(x, from, to));
  }

  /** {@code out[n] = mean_c (a[n, c] - b[n, c])^2}. */
  public static void squaredErrorPerSample(double[] out, float[] a, float[] b, int samples, int columns) {
    for (int sample = 0; sample < samples; sample++) {
      int start = sample * columns;
      out[sample] = sumOfPieces(columns, (from, to) -> squaredDistance(a, b, start + from, start + to)) / columns;
    }
  }

  /** {@code da[n, c] = weight[n] * 2 * (a - b) / columns}. */
  public static void squaredErrorBackward(float[] da, float[] a, float[] b, float[] weight, int samples, int columns) {
    for (int sample = 0; sample < samples; sample++) {
      int start = sample * columns;
      float scale = (float) (2.0 * weight[sample] / columns);
      Parallel.ranges(columns, Parallel.GRAIN, (from, to) ->
          Simd.MATH.scaledDifference(da, start + from, a, start + from, b, start + from, scale, to - from));
    }
  }

  /** Over [from, to), in four interleaved sums: one addition would wait for the other. */
  static double sumOfSquares(float[] x, int from, int to) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = from;
    for (; i < to - 3; i += 4) {
      s0 += (double) x[i] * x[i];
      s1 += (double) x[i + 1] * x[i + 1];
      s2 += (double) x[i + 2] * x[i + 2];
      s3 += (double) x[i + 3] * x[i + 3];
    }
    for (; i < to; i++) {
      s0 += (double) x[i] * x[i];
    }
    return s0 + s1 + (s2 + s3);
  }

  private static double squaredDistance(float[] a, float[] b, int from, int to) {
    double s0 = 0;
    double s1 = 0;
    int i = from;
    for (; i < to - 1; i += 2) {
      double d0 = (double) a[i] - b[i];
      double d1 = (double) a[i + 1] - b[i + 1];
      s0 += d0 * d0;
      s1 += d1 * d1;
    }
    if (i < to) {
      double d0 = (double) a[i] - b[i];
      s0 += d0 * d0;
    }
    return s0 + s1;
  }

  private static double sumOfPieces(int n, PieceSum sumOf) {
    double[] sums = new double[n / PIECE + 1];
    Parallel.ranges(n, PIECE, (from, to) -> sums[from / PIECE] = sumOf.over(from, to));
    double total = 0;
    for (double sum : sums) {
      total += sum;
    }
    return total;
  }

  /** The sum over [from, to). */
  @FunctionalInterface
  private interface PieceSum {
    double over(int from, int to);
  }
}
