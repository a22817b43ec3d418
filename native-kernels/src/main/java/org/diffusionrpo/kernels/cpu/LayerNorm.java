package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Layer normalisation of the last axis. Ba, Kiros and Hinton 2016, arXiv:1607.06450.
 * <pre>
 *   x, y [rows, columns]     gamma, beta [columns]     mean, rstd [rows]
 *   y = (x - mean) * rstd * gamma + beta,   rstd = 1 / sqrt(var + eps)
 * </pre>
 */
public final class LayerNorm {
  private static final ArrayMath MATH = Simd.MATH;
  private static final NormMath NORM = Simd.NORM;

  private LayerNorm() {}

  /** Also writes mean and rstd, which backward needs. y may be x. */
  public static void forward(float[] y, float[] mean, float[] rstd, float[] x, float[] gamma, float[] beta, int rows,
      int columns, float eps) {
    Parallel.ranges(rows, Elementwise.rowsPerTask(columns), (from, to) -> {
      for (int r = from; r < to; r++) {
        int at = r * columns;
        // The first mean may be off by rounding where x is large; the deviations from it are small and give the rest.
        float center = (float) (MATH.sum(x, at, columns) / columns);
        double[] deviations = new double[2];
        NORM.addDeviations(deviations, x, at, center, columns);
        double offset = deviations[0] / columns;
        double variance = Math.max(0, deviations[1] / columns - offset * offset);
        float rowMean = (float) (center + offset);
        float rowRstd = (float) (1 / Math.sqrt(variance + eps));
        NORM.normalizeRow(y, at, x, at, rowMean, rowRstd, gamma, beta, 0, columns);
        mean[r] = rowMean;
        rstd[r] = rowRstd;
      }
    });
  }

  /** Overwrites dx; adds to dGamma and dBeta, each of which may be null. dx may be dy. */
  public static void backward(float[] dx, float[] dGamma, float[] dBeta, float[] dy, float[] x, float[] gamma,
      float[] mean, float[] rstd, int rows, int columns) {
    boolean frozen = dGamma == null && dBeta == null;
    RowSpans spans = new RowSpans(rows, columns);
    double[][] parts = new double[spans.count()][];
    Parallel.run(spans.count(), span -> {
      double[] total = new double[frozen ? 0 : 2 * columns];
      float[] tileGamma = new float[frozen ? 0 : columns];
      float[] tileBeta = new float[frozen ? 0 : columns];
      spans.forEachTile(span, (first, count) -> {
        Arrays.fill(tileGamma, 0);
        Arrays.fill(tileBeta, 0);
        for (int r = first; r < first + count; r++) {
          if (!frozen) { // before dx, which may overwrite dy
            int at = r * columns;
            NORM.addParameterGradients(tileGamma, tileBeta, 0, dy, at, x, at, mean[r], rstd[r], columns);
          }
          rowBackward(dx, dy, x, r * columns, gamma, mean[r], rstd[r], columns);
        }
        for (int c = 0; c < tileGamma.length; c++) {
          total[c] += tileGamma[c];
          total[columns + c] += tileBeta[c];
        }
      });
      parts[span] = total;
    });
    if (frozen || rows == 0) {
      return;
    }
    double[] total = spans.total(parts, 0);
    for (int c = 0; c < columns; c++) {
      if (dGamma != null) {
        dGamma[c] += (float) total[c];
      }
      if (dBeta != null) {
        dBeta[c] += (float) total[columns + c];
      }
    }
  }

  /** With h = dy * gamma and xn = (x - mean) * rstd: {@code dx = rstd * (h - mean(h) - xn * mean(h * xn))}. */
  private static void rowBackward(float[] dx, float[] dy, float[] x, int at, float[] gamma, float mean, float rstd,
      int columns) {
    double[] sums = new double[2];
    NORM.addRowGradientSums(sums, dy, at, x, at, mean, gamma, 0, columns);
    double r = rstd;
    float shift = (float) (-r * sums[0] / columns);
    float slope = (float) (-r * r * r * sums[1] / columns);
    NORM.rowGradient(dx, at, dy, at, x, at, mean, rstd, slope, shift, gamma, 0, columns);
  }
}
