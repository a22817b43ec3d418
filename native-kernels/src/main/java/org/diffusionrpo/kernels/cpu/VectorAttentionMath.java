package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Vector API. A query is a lane, so no sum ever crosses the lanes. */
final class VectorAttentionMath implements AttentionMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();

  @Override
  public void softmaxStep(float[] s, int rows, int columns, float[] max, float[] sum, float[] rescale) {
    for (int j = 0; j < columns; j += L) {
      FloatVector oldMax = FloatVector.fromArray(F, max, j);
      FloatVector newMax = oldMax;
      for (int i = 0; i < rows; i++) {
        newMax = newMax.max(FloatVector.fromArray(F, s, i * columns + j));
      }
      FloatVector tileSum = FloatVector.zero(F);
      for (int i = 0; i < rows; i++) {
        FloatVector p = VectorFunctions.expOfNegative(FloatVector.fromArray(F, s, i * columns + j).sub(newMax));
        p.intoArray(s, i * columns + j);
        tileSum = tileSum.add(p);
      }
      FloatVector factor = VectorFunctions.expOfNegative(oldMax.sub(newMax));
      factor.intoArray(rescale, j);
      FloatVector.fromArray(F, sum, j).fma(factor, tileSum).intoArray(sum, j);
      newMax.intoArray(max, j);
    }
  }

  @Override
  public void scaleColumns(float[] x, int rows, int columns, float[] factor) {
    for (int j = 0; j < columns; j += L) {
      FloatVector f = FloatVector.fromArray(F, factor, j);
      for (int i = 0; i < rows; i++) {
        FloatVector.fromArray(F, x, i * columns + j).mul(f).intoArray(x, i * columns + j);
      }
    }
  }

  @Override
  public void gradientByColumn(float[] s, float[] dp, int rows, int columns, float[] lse, float[] delta) {
    for (int j = 0; j < columns; j += L) {
      FloatVector vl = FloatVector.fromArray(F, lse, j);
      FloatVector vd = FloatVector.fromArray(F, delta, j);
      for (int i = 0; i < rows; i++) {
        int at = i * columns + j;
        FloatVector p = VectorFunctions.exp(FloatVector.fromArray(F, s, at).sub(vl));
        p.mul(FloatVector.fromArray(F, dp, at).sub(vd)).intoArray(dp, at);
      }
    }
  }

  @Override
  public void gradientByRow(float[] s, float[] dp, int rows, int columns, float[] lse, float[] delta, int qo) {
    for (int i = 0; i < rows; i++) {
      FloatVector vl = FloatVector.broadcast(F, lse[qo + i]);
      FloatVector vd = FloatVector.broadcast(F, delta[qo + i]);
      for (int j = 0; j < columns; j += L) {
        int at = i * columns + j;
        FloatVector p = VectorFunctions.exp(FloatVector.fromArray(F, s, at).sub(vl));
        p.intoArray(s, at);
        p.mul(FloatVector.fromArray(F, dp, at).sub(vd)).intoArray(dp, at);
      }
    }
  }
}
