package org.diffusionrpo.kernels.cpu;

/** Plain Java. Also the tail of each vector loop. */
final class ScalarArrayMath implements ArrayMath {
  @Override
  public int lanes() {
    return 1;
  }

  @Override
  public void add(float[] y, int yo, float[] a, int ao, float[] b, int bo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = a[ao + i] + b[bo + i];
    }
  }

  @Override
  public void multiply(float[] y, int yo, float[] a, int ao, float[] b, int bo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = a[ao + i] * b[bo + i];
    }
  }

  @Override
  public void scale(float[] y, int yo, float[] x, int xo, float scale, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = x[xo + i] * scale;
    }
  }

  @Override
  public void axpy(float[] y, int yo, float a, float[] x, int xo, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = Math.fma(x[xo + i], a, y[yo + i]);
    }
  }

  @Override
  public void lerp(float[] y, int yo, float[] x, int xo, float weight, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = Math.fma(x[xo + i] - y[yo + i], weight, y[yo + i]);
    }
  }

  @Override
  public void scaledDifference(float[] y, int yo, float[] a, int ao, float[] b, int bo, float scale, int n) {
    for (int i = 0; i < n; i++) {
      y[yo + i] = (a[ao + i] - b[bo + i]) * scale;
    }
  }

  @Override
  public void columnSums(float[] sum, int so, float[] x, int xo, int rows, int stride, int n) {
    for (int j = 0; j < n; j++) {
      float total = 0;
      for (int r = 0; r < rows; r++) {
        total += x[xo + r * stride + j];
      }
      sum[so + j] = total;
    }
  }

  @Override
  public double sum(float[] x, int xo, int n) {
    double sum = 0;
    for (int i = xo; i < xo + n; i++) {
      sum += x[i];
    }
    return sum;
  }
}
