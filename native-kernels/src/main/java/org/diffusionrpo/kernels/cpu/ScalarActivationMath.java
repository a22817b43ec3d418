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
  public void gatedGelu(float[] y, int yo, float[] a, int ao, float[] gate, int go, int n) {
    for (int i = 0; i < n; i++) {
      float g = gate[go + i];
      y[yo + i] = a[ao + i] * (g * FloatFunctions.normal(g));
    }
  }

  @Override
  public void normal(float[] normal, float[] density, int po, float[] x, int xo, int n) {
    for (int i = 0; i < n; i++) {
      float v = x[xo + i];
      float magnitude = FloatFunctions.atMost(Math.abs(v), FloatFunctions.TAIL_END);
      float gaussian = FloatFunctions.gaussian(magnitude);
      float tail = FloatFunctions.normalTail(magnitude, gaussian);
      normal[po + i] = v < 0 ? tail : 1 - tail;
      density[po + i] = gaussian * FloatFunctions.INVERSE_SQRT_2PI;
    }
  }

  @Override
  public void geluBackward(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, float[] normal,
      float[] density, int po, int n) {
    for (int i = 0; i < n; i++) {
      dx[dxo + i] = dy[dyo + i] * Math.fma(x[xo + i], density[po + i], normal[po + i]);
    }
  }

  @Override
  public void gatedGeluBackward(float[] da, int dao, float[] dGate, int dgo, float[] dy, int dyo, float[] a, int ao,
      float[] gate, int go, float[] normal, float[] density, int po, int n) {
    for (int i = 0; i < n; i++) {
      float d = dy[dyo + i];
      float g = gate[go + i];
      float value = a[ao + i];
      da[dao + i] = d * (g * normal[po + i]);
      dGate[dgo + i] = d * value * Math.fma(g, density[po + i], normal[po + i]);
    }
  }
}
