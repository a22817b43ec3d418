package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/**
 * Group normalisation of NHWC data. Wu and He 2018, arXiv:1803.08494, section 3.1.
 * <pre>
 *   x, y [samples, positions, channels]     gamma, beta [channels]     mean, rstd [samples, groups]
 *   y = (x - mean) * rstd * gamma + beta,   rstd = 1 / sqrt(var + eps)
 * </pre>
 * mean and var (biased) run over the positions * channels / groups values of one group. The channels of a group are
 * too few for a vector, so sums are taken per channel, down the positions, and joined to groups afterwards.
 */
public final class GroupNorm {
  private static final ArrayMath MATH = Simd.MATH;
  private static final NormMath NORM = Simd.NORM;

  private GroupNorm() {}

  /** Also writes mean and rstd, which backward needs. y may be x. */
  public static void forward(float[] y, float[] mean, float[] rstd, float[] x, float[] gamma, float[] beta,
      int samples, int positions, int channels, int groups, float eps) {
    forward(false, y, mean, rstd, x, gamma, beta, samples, positions, channels, groups, eps);
  }

  /** {@code y = silu(group norm of x)} in one go. Also writes mean and rstd. y may be x. */
  public static void forwardSilu(float[] y, float[] mean, float[] rstd, float[] x, float[] gamma, float[] beta,
      int samples, int positions, int channels, int groups, float eps) {
    forward(true, y, mean, rstd, x, gamma, beta, samples, positions, channels, groups, eps);
  }

  private static void forward(boolean silu, float[] y, float[] mean, float[] rstd, float[] x, float[] gamma,
      float[] beta, int samples, int positions, int channels, int groups, float eps) {
    groupWidth(channels, groups);
    RowSpans spans = new RowSpans(positions, channels);
    Moments[] parts = new Moments[samples * spans.count()];
    Parallel.run(parts.length, task -> {
      int sample = task / spans.count();
      parts[task] = spanMoments(x, sample * positions, spans, task % spans.count(), channels, groups);
    });
    for (int sample = 0; sample < samples; sample++) {
      Moments moments = new Moments(groups);
      for (int span = 0; span < spans.count(); span++) {
        moments.add(parts[sample * spans.count() + span]);
      }
      for (int g = 0; g < groups; g++) {
        mean[sample * groups + g] = (float) moments.mean(g);
        rstd[sample * groups + g] = (float) (1 / Math.sqrt(moments.variance(g) + eps));
      }
    }
    Parallel.run(parts.length, task -> {
      int sample = task / spans.count();
      float[] channelMean = perChannel(mean, sample, channels, groups);
      float[] scale = perChannel(rstd, sample, channels, groups);
      MATH.multiply(scale, 0, scale, 0, gamma, 0, channels);
      int span = task % spans.count();
      int from = (sample * positions + spans.start(span)) * channels;
      if (silu) {
        NORM.normalizeColumnsSilu(y, x, from, channelMean, scale, beta, 0, spans.size(span), channels, channels);
      } else {
        NORM.normalizeColumns(y, x, from, channelMean, scale, beta, 0, spans.size(span), channels, channels);
      }
    });
  }

  /**
   * Overwrites dx; adds to dGamma and dBeta, each of which may be null. dx may be dy. With
   * {@code h = dy * gamma} and {@code xn = (x - mean) * rstd}: {@code dx = rstd * (h - mean(h) - xn * mean(h * xn))}.
   */
  public static void backward(float[] dx, float[] dGamma, float[] dBeta, float[] dy, float[] x, float[] gamma,
      float[] mean, float[] rstd, int samples, int positions, int channels, int groups) {
    backward(dx, dGamma, dBeta, dy, x, gamma, null, mean, rstd, samples, positions, channels, groups);
  }

  /** The gradient of {@link #forwardSilu}. It computes the normalised values again, hence beta. dx may be dy. */
  public static void backwardSilu(float[] dx, float[] dGamma, float[] dBeta, float[] dy, float[] x, float[] gamma,
      float[] beta, float[] mean, float[] rstd, int samples, int positions, int channels, int groups) {
    backward(dx, dGamma, dBeta, dy, x, gamma, beta, mean, rstd, samples, positions, channels, groups);
  }

  private static void backward(float[] dx, float[] dGamma, float[] dBeta, float[] dy, float[] x, float[] gamma,
      float[] beta, float[] mean, float[] rstd, int samples, int positions, int channels, int groups) {
    boolean silu = beta != null;
    float[] dh = silu ? dx : dy;
    int width = groupWidth(channels, groups);
    RowSpans spans = new RowSpans(positions, channels);
    double[][] parts = new double[samples * spans.count()][];
    Parallel.run(parts.length, task -> {
      int sample = task / spans.count();
      float[] channelMean = perChannel(mean, sample, channels, groups);
      float[] scale = perChannel(rstd, sample, channels, groups);
      MATH.multiply(scale, 0, scale, 0, gamma, 0, channels);
      double[] total = new double[2 * channels]; // sum dy per channel, then sum dy * (x - mean)
      float[] sum = new float[channels];
      float[] product = new float[channels];
      spans.forEachTile(task % spans.count(), (row, rows) -> {
        int at = (sample * positions + row) * channels;
        if (silu) {
          NORM.columnSiluGradient(dh, dy, x, at, channelMean, scale, beta, 0, rows, channels, channels);
        }
        NORM.columnGradientSums(sum, product, channelMean, 0, dh, x, at, rows, channels, channels);
        for (int c = 0; c < channels; c++) {
          total[c] += sum[c];
          total[channels + c] += product[c];
        }
      });
      parts[task] = total;
    });
    double[] gammaSum = new double[channels];
    double[] betaSum = new double[channels];
    float[][] slopes = new float[samples][channels];
    float[][] shifts = new float[samples][channels];
    for (int sample = 0; sample < samples; sample++) {
      double[] sums = spans.total(parts, sample);
      for (int g = 0; g < groups; g++) {
        double r = rstd[sample * groups + g];
        double sum = 0;
        double product = 0;
        for (int c = g * width; c < (g + 1) * width; c++) {
          betaSum[c] += sums[c];
          gammaSum[c] += sums[channels + c] * r;
          sum += sums[c] * gamma[c];
          product += sums[channels + c] * gamma[c];
        }
        double count = (double) positions * width;
        for (int c = g * width; c < (g + 1) * width; c++) {
          shifts[sample][c] = (float) (-r * sum / count);
          slopes[sample][c] = (float) (-r * r * r * product / count);
        }
      }
    }
    addTo(dGamma, gammaSum);
    addTo(dBeta, betaSum);
    Parallel.run(parts.length, task -> {
      int sample = task / spans.count();
      float[] channelMean = perChannel(mean, sample, channels, groups);
      float[] scale = perChannel(rstd, sample, channels, groups);
      MATH.multiply(scale, 0, scale, 0, gamma, 0, channels);
      int span = task % spans.count();
      int from = (sample * positions + spans.start(span)) * channels;
      NORM.columnGradient(dx, dh, x, from, channelMean, scale, slopes[sample], shifts[sample], 0, spans.size(span),
          channels, channels);
    });
  }

  /**
   * One pass over the span, by deviations from a mean that is already known nearly: of the first tile, then of the
   * tiles before. So nothing cancels, however far the values are from 0.
   */
  private static Moments spanMoments(float[] x, int firstRow, RowSpans spans, int span, int channels, int groups) {
    int width = channels / groups;
    Moments moments = new Moments(groups);
    Moments tile = new Moments(groups);
    float[] sums = new float[channels];
    float[] squares = new float[channels];
    float[] center = new float[channels];
    spans.forEachTile(span, (row, rows) -> {
      int at = (firstRow + row) * channels;
      double count = (double) rows * width;
      boolean first = row == spans.start(span);
      if (first) {
        MATH.columnSums(sums, 0, x, at, rows, channels, channels);
        tile.setMeans(sums, count);
      }
      (first ? tile : moments).copyMeans(center);
      NORM.columnDeviations(sums, squares, center, 0, x, at, rows, channels, channels);
      tile.set(sums, squares, center, count);
      moments.add(tile);
    });
    return moments;
  }

  private static float[] perChannel(float[] perGroup, int sample, int channels, int groups) {
    float[] result = new float[channels];
    int width = channels / groups;
    for (int g = 0; g < groups; g++) {
      Arrays.fill(result, g * width, (g + 1) * width, perGroup[sample * groups + g]);
    }
    return result;
  }

  private static void addTo(float[] gradient, double[] sum) {
    if (gradient != null) {
      for (int c = 0; c < sum.length; c++) {
        gradient[c] += (float) sum[c];
      }
    }
  }

  private static int groupWidth(int channels, int groups) {
    if (groups <= 0 || channels % groups != 0) {
      throw new IllegalArgumentException("GroupNorm: " + groups + " groups do not divide " + channels + " channels");
    }
    return channels / groups;
  }
}
