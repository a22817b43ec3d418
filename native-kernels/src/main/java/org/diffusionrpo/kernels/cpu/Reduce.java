package org.diffusionrpo.kernels.cpu;

/** Sums in double over fixed pieces, added in the order of the pieces. */
public final class Reduce {
  private static final int PIECE = 64 * 1024;

  private Reduce() {}

  /** {@code sum x^2} over the first n elements. */
  public static double sumOfSquares(float[] x, int n) {
    return sumOfPieces(n, (from, to) -> Simd.MATH.sumOfSquares(x, from, to - from));
  }

  /** {@code out[n] = mean_c (a[n, c] - b[n, c])^2}. */
  public static void squaredErrorPerSample(double[] out, float[] a, float[] b, int samples, int columns) {
    for (int sample = 0; sample < samples; sample++) {
      int start = sample * columns;
      out[sample] = sumOfPieces(columns, (from, to) ->
          Simd.MATH.squaredDistance(a, start + from, b, start + from, to - from)) / columns;
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
