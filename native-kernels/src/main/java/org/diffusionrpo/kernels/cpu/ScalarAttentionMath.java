package org.diffusionrpo.kernels.cpu;

/** Plain Java. */
final class ScalarAttentionMath implements AttentionMath {
  @Override
  public void raiseMaximum(float[] s, int rows, int columns, float[] max, float[] drop, int at) {
    for (int j = 0; j < columns; j++) {
      float newMax = max[at + j];
      for (int i = 0; i < rows; i++) {
        newMax = Math.max(newMax, s[i * columns + j]);
      }
      drop[at + j] = max[at + j] - newMax;
      max[at + j] = newMax;
    }
  }

  @Override
  public void softmaxStep(float[] s, int rows, int columns, float[] max, float[] sum, float[] rescale, int at) {
    for (int j = 0; j < columns; j++) {
      rescale[at + j] = FloatFunctions.exp2(rescale[at + j]);
      float tileSum = 0;
      for (int i = j; i < rows * columns; i += columns) {
        s[i] = FloatFunctions.exp2(s[i] - max[at + j]);
        tileSum += s[i];
      }
      sum[at + j] = Math.fma(sum[at + j], rescale[at + j], tileSum);
    }
  }

  @Override
  public void scaleColumns(float[] x, int xo, int rows, int columns, float[] factor, int at) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        x[xo + i * columns + j] *= factor[at + j];
      }
    }
  }

  @Override
  public void gradient(float[] s, float[] dp, int rows, int columns, float[] lse, float[] delta, int qo) {
    for (int i = 0; i < rows; i++) {
      for (int at = i * columns; at < (i + 1) * columns; at++) {
        s[at] = FloatFunctions.exp2(s[at] - lse[qo + i]);
        dp[at] = s[at] * (dp[at] - delta[qo + i]);
      }
    }
  }
}
