package org.diffusionrpo.kernels.cpu;

/** Plain Java. */
final class ScalarWinogradMath implements WinogradMath {
  static final float SIXTH = 1 / 6f;
  static final float TWELFTH = 1 / 12f;
  static final float TWENTY_FOURTH = 1 / 24f;

  @Override
  public void input(float[] to, int toStart, int toStep, float[] from, int start, int step, int n) {
    for (int c = 0; c < n; c++) {
      int at = start + c;
      int out = toStart + c;
      float d0 = from[at];
      float d1 = from[at + step];
      float d2 = from[at + 2 * step];
      float d3 = from[at + 3 * step];
      float d4 = from[at + 4 * step];
      float d5 = from[at + 5 * step];
      float even = d4 - 4f * d2;
      float odd = d3 - 4f * d1;
      float near = d4 - d2;
      float far = 2f * (d3 - d1);
      to[out] = 4f * d0 - 5f * d2 + d4;
      to[out + toStep] = even + odd;
      to[out + 2 * toStep] = even - odd;
      to[out + 3 * toStep] = near + far;
      to[out + 4 * toStep] = near - far;
      to[out + 5 * toStep] = 4f * d1 - 5f * d3 + d5;
    }
  }

  @Override
  public void output(float[] to, int toStart, int toStep, float[] from, int start, int step, int n) {
    for (int c = 0; c < n; c++) {
      int at = start + c;
      int out = toStart + c;
      float m0 = from[at];
      float m1 = from[at + step];
      float m2 = from[at + 2 * step];
      float m3 = from[at + 3 * step];
      float m4 = from[at + 4 * step];
      float m5 = from[at + 5 * step];
      float near = m1 + m2;
      float nearGap = m1 - m2;
      float far = m3 + m4;
      float farGap = m3 - m4;
      to[out] = m0 + near + far;
      to[out + toStep] = nearGap + 2f * farGap;
      to[out + 2 * toStep] = near + 4f * far;
      to[out + 3 * toStep] = nearGap + 8f * farGap + m5;
    }
  }

  @Override
  public void filter(float[] to, int toStart, int toStep, float[] from, int start, int step, int n) {
    for (int c = 0; c < n; c++) {
      int at = start + c;
      int out = toStart + c;
      float g0 = from[at];
      float g1 = from[at + step];
      float g2 = from[at + 2 * step];
      float sixth = SIXTH * (g0 + g2);
      float middle = SIXTH * g1;
      float outer = TWENTY_FOURTH * g0 + SIXTH * g2;
      float half = TWELFTH * g1;
      to[out] = 0.25f * g0;
      to[out + toStep] = -(sixth + middle);
      to[out + 2 * toStep] = middle - sixth;
      to[out + 3 * toStep] = outer + half;
      to[out + 4 * toStep] = outer - half;
      to[out + 5 * toStep] = g2;
    }
  }

  @Override
  public void outputGradient(float[] to, int toStart, int toStep, float[] from, int start, int step, int n) {
    for (int c = 0; c < n; c++) {
      int at = start + c;
      int out = toStart + c;
      float y0 = from[at];
      float y1 = from[at + step];
      float y2 = from[at + 2 * step];
      float y3 = from[at + 3 * step];
      float even = y0 + y2;
      float odd = y1 + y3;
      float near = y0 + 4f * y2;
      float far = 2f * y1 + 8f * y3;
      to[out] = y0;
      to[out + toStep] = even + odd;
      to[out + 2 * toStep] = even - odd;
      to[out + 3 * toStep] = near + far;
      to[out + 4 * toStep] = near - far;
      to[out + 5 * toStep] = y3;
    }
  }

  @Override
  public void filterGradient(float[] to, int toStart, int toStep, float[] from, int start, int step, int n) {
    for (int c = 0; c < n; c++) {
      int at = start + c;
      int out = toStart + c;
      float u0 = from[at];
      float u1 = from[at + step];
      float u2 = from[at + 2 * step];
      float u3 = from[at + 3 * step];
      float u4 = from[at + 4 * step];
      float u5 = from[at + 5 * step];
      float near = SIXTH * (u1 + u2);
      float far = u3 + u4;
      to[out] = 0.25f * u0 - near + TWENTY_FOURTH * far;
      to[out + toStep] = SIXTH * (u2 - u1) + TWELFTH * (u3 - u4);
      to[out + 2 * toStep] = SIXTH * far - near + u5;
    }
  }
}
