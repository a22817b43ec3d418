package org.diffusionrpo.kernels.cpu;

/** Plain Java. Also the tail of each vector loop. */
final class ScalarActivationMath implements ActivationMath {
  @Override
  public void swish(float[] y, int yo, float[] x, int xo, float slope, int n) {
    for (int i = 0; i < n; i++) {
      float v = x[xo + i];
      y[yo + i] = v * FloatFunctions.sigmoid(v * slope);
    }
  }

  @Override
  public void swishBackward(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, float slope, int n) {
    for (int i = 0; i < n; i++) {
      float v = x[xo + i] * slope;
      float s = FloatFunctions.sigmoid(v);
      dx[dxo + i] = dy[dyo + i] * (s * Math.fma(v, 1 - s, 1));
    }
  }

  @Override
  public void gelu(float[] y, int yo, float[] x, int xo, int n) {
    for (int i = 0; i < n; i++) {
      float v = x[xo + i];
      y[yo + i] = v * FloatFunctions.normal(v);
    }
  }

  @Override
  public void geluBackward(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, int n) {
    for (int i = 0; i < n; i++) {
      dx[dxo + i] = dy[dyo + i] * FloatFunctions.geluSlope(x[xo + i]);
    }
  }

  @Override
  public void gatedGelu(float[] y, int yo, float[] a, int ao, float[] gate, int go, int n) {
    for (int i = 0; i < n; i++) {
      float g = gate[go + i];
      y[yo + i] = a[ao + i] * (g * FloatFunctions.normal(g));
    }
  }

  @Override
  public void gatedGeluBackward(float[] da, int dao, float[] dGate, int dgo, float[] dy, int dyo, float[] a, int ao,
      float[] gate, int go, int n) {
    for (int i = 0; i < n; i++) {
      float g = gate[go + i];
      float value = a[ao + i];
      float dOut = dy[dyo + i];
      float magnitude = Math.min(Math.abs(g), FloatFunctions.TAIL_END);
      float gaussian = FloatFunctions.gaussian(magnitude);
      float tail = FloatFunctions.normalTail(magnitude, gaussian);
      float normal = g < 0 ? tail : 1 - tail;
      da[dao + i] = dOut * (g * normal);
      dGate[dgo + i] = dOut * value * Math.fma(g, gaussian * FloatFunctions.INVERSE_SQRT_2PI, normal);
    }
  }
}
