package org.diffusionrpo.kernels.cpu;

/** Plain Java. Also the tail of each vector loop. */
final class ScalarNormMath implements NormMath {
  @Override
  public void addDeviations(double[] sums, float[] x, int xo, float center, int n) {
    double sum = 0;
    double squares = 0;
    for (int i = xo; i < xo + n; i++) {
      double deviation = x[i] - center;
      sum += deviation;
      squares += deviation * deviation;
    }
    sums[0] += sum;
    sums[1] += squares;
  }

  @Override
  public void normalizeRow(float[] y, int yo, float[] x, int xo, float mean, float rstd, float[] gamma, float[] beta,
      int co, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = Math.fma((x[xo + i] - mean) * rstd, gamma[co + i], beta[co + i]);
    }
  }

  @Override
  public void addRowGradientSums(double[] sums, float[] dy, int dyo, float[] x, int xo, float mean, float[] gamma,
      int co, int n) {
    double sum = 0;
    double product = 0;
    for (int i = 0; i < n; i++) {
      float scaled = dy[dyo + i] * gamma[co + i];
      sum += scaled;
      product += (double) scaled * (x[xo + i] - mean);
    }
    sums[0] += sum;
    sums[1] += product;
  }

  @Override
  public void rowGradient(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, float mean, float rstd,
      float slope, float shift, float[] gamma, int co, int n) {
    for (int i = 0; i < n; i++) {
      float fromStatistics = Math.fma(x[xo + i] - mean, slope, shift);
      dx[dxo + i] = Math.fma(dy[dyo + i] * gamma[co + i], rstd, fromStatistics);
    }
  }

  @Override
  public void addParameterGradients(float[] dGamma, float[] dBeta, int co, float[] dy, int dyo, float[] x, int xo,
      float mean, float rstd, int n) {
    for (int i = 0; i < n; i++) {
      float d = dy[dyo + i];
      dGamma[co + i] = Math.fma(d, (x[xo + i] - mean) * rstd, dGamma[co + i]);
      dBeta[co + i] += d;
    }
  }

  @Override
  public void columnDeviations(float[] sum, float[] squares, float[] center, int co, float[] x, int xo, int rows,
      int stride, int n) {
    for (int j = 0; j < n; j++) {
      float total = 0;
      float totalSquares = 0;
      for (int r = 0; r < rows; r++) {
        float deviation = x[xo + r * stride + j] - center[co + j];
        total += deviation;
        totalSquares = Math.fma(deviation, deviation, totalSquares);
      }
      sum[co + j] = total;
      squares[co + j] = totalSquares;
    }
  }

  @Override
  public void columnGradientSums(float[] sum, float[] product, float[] mean, int co, float[] dy, float[] x, int xo,
      int rows, int stride, int n) {
    for (int j = 0; j < n; j++) {
      float total = 0;
      float products = 0;
      for (int r = 0; r < rows; r++) {
        int at = xo + r * stride + j;
        total += dy[at];
        products = Math.fma(dy[at], x[at] - mean[co + j], products);
      }
      sum[co + j] = total;
      product[co + j] = products;
    }
  }

  @Override
  public void normalizeColumns(float[] y, float[] x, int xo, float[] mean, float[] scale, float[] shift, int co,
      int rows, int stride, int n) {
    for (int r = 0; r < rows; r++) {
      int row = xo + r * stride;
      for (int j = 0; j < n; j++) {
        y[row + j] = Math.fma(x[row + j] - mean[co + j], scale[co + j], shift[co + j]);
      }
    }
  }

  @Override
  public void normalizeColumnsSilu(float[] y, float[] x, int xo, float[] mean, float[] scale, float[] shift, int co,
      int rows, int stride, int n) {
    for (int r = 0; r < rows; r++) {
      int row = xo + r * stride;
      for (int j = 0; j < n; j++) {
        float h = Math.fma(x[row + j] - mean[co + j], scale[co + j], shift[co + j]);
        y[row + j] = h * FloatFunctions.sigmoid(h);
      }
    }
  }

  @Override
  public void columnSiluGradient(float[] dh, float[] dy, float[] x, int xo, float[] mean, float[] scale, float[] shift,
      int co, int rows, int stride, int n) {
    for (int r = 0; r < rows; r++) {
      int row = xo + r * stride;
      for (int j = 0; j < n; j++) {
        float h = Math.fma(x[row + j] - mean[co + j], scale[co + j], shift[co + j]);
        float s = FloatFunctions.sigmoid(h);
        dh[row + j] = dy[row + j] * (s * Math.fma(h, 1 - s, 1));
      }
    }
  }

  @Override
  public void columnGradient(float[] dx, float[] dy, float[] x, int xo, float[] mean, float[] scale, float[] slope,
      float[] shift, int co, int rows, int stride, int n) {
    for (int r = 0; r < rows; r++) {
      int row = xo + r * stride;
      for (int j = 0; j < n; j++) {
        int c = co + j;
        float fromStatistics = Math.fma(x[row + j] - mean[c], slope[c], shift[c]);
        dx[row + j] = Math.fma(dy[row + j], scale[c], fromStatistics);
      }
    }
  }
}
