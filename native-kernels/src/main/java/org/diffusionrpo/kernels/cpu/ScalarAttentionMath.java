package org.diffusionrpo.kernels.cpu;

/** Plain Java. */
final class ScalarAttentionMath implements AttentionMath {
  @Override
  public void softmaxStep(float[] s, int rows, int columns, float[] max, float[] sum, float[] rescale) {
    for (int j = 0; j < columns; j++) {
      float newMax = max[j];
      for (int i = 0; i < rows; i++) {
        newMax = Math.max(newMax, s[i * columns + j]);
      }
      float tileSum = 0;
      for (int i = 0; i < rows; i++) {
        float p = FloatFunctions.exp(s[i * columns + j] - newMax);
        s[i * columns + j] = p;
        tileSum += p;
      }
      rescale[j] = FloatFunctions.exp(max[j] - newMax);
      sum[j] = Math.fma(sum[j], rescale[j], tileSum);
      max[j] = newMax;
    }
  }

  @Override
  public void scaleColumns(float[] x, int rows, int columns, float[] factor) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        x[i * columns + j] *= factor[j];
      }
    }
  }

  @Override
  public void gradientByColumn(float[] s, float[] dp, int rows, int columns, float[] lse, float[] delta) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        int at = i * columns + j;
        dp[at] = FloatFunctions.exp(s[at] - lse[j]) * (dp[at] - delta[j]);
      }
    }
  }

  @Override
  public void gradientByRow(float[] s, float[] dp, int rows, int columns, float[] lse, float[] delta, int qo) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        int at = i * columns + j;
        s[at] = FloatFunctions.exp(s[at] - lse[qo + i]);
        dp[at] = s[at] * (dp[at] - delta[qo + i]);
      }
    }
  }
}
