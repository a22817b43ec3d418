package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Vector API. In the softmax a query is a lane, so no sum ever crosses the lanes. */
final class VectorAttentionMath implements AttentionMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();

  /**
   * Two vectors in turn, since each maximum waits for the one before. {@link VectorFunctions#greater} cannot be used: the
   * JIT of JDK 17 puts a vector that goes round a loop through it on the heap.
   */
  @Override
  public void raiseMaximum(float[] s, int rows, int columns, float[] max, float[] drop, int at) {
    for (int j = 0; j < columns; j += 2 * L) {
      FloatVector m0 = FloatVector.fromArray(F, max, at + j);
      FloatVector m1 = FloatVector.fromArray(F, max, at + j + L);
      for (int i = 0; i < rows; i++) {
        m0 = m0.max(FloatVector.fromArray(F, s, i * columns + j));
        m1 = m1.max(FloatVector.fromArray(F, s, i * columns + j + L));
      }
      FloatVector.fromArray(F, max, at + j).sub(m0).intoArray(drop, at + j);
      FloatVector.fromArray(F, max, at + j + L).sub(m1).intoArray(drop, at + j + L);
      m0.intoArray(max, at + j);
      m1.intoArray(max, at + j + L);
    }
  }

  @Override
  public void softmaxStep(float[] s, int rows, int columns, float[] max, float[] sum, float[] rescale, int at) {
    for (int j = 0; j < columns; j += L) {
      FloatVector vm = FloatVector.fromArray(F, max, at + j);
      FloatVector factor = VectorFunctions.exp2(FloatVector.fromArray(F, rescale, at + j));
      factor.intoArray(rescale, at + j);
      FloatVector tileSum = FloatVector.zero(F);
      for (int i = 0; i < rows; i++) {
        FloatVector p = VectorFunctions.exp2(FloatVector.fromArray(F, s, i * columns + j).sub(vm));
        p.intoArray(s, i * columns + j);
        tileSum = tileSum.add(p);
      }
      FloatVector.fromArray(F, sum, at + j).fma(factor, tileSum).intoArray(sum, at + j);
    }
  }

  @Override
  public void scaleColumns(float[] x, int xo, int rows, int columns, float[] factor, int at) {
    for (int j = 0; j < columns; j += L) {
      FloatVector f = FloatVector.fromArray(F, factor, at + j);
      for (int i = 0; i < rows; i++) {
        int to = xo + i * columns + j;
        FloatVector.fromArray(F, x, to).mul(f).intoArray(x, to);
      }
    }
  }

  @Override
  public void gradient(float[] s, float[] dp, int rows, int columns, float[] lse, float[] delta, int qo) {
    for (int i = 0; i < rows; i++) {
      FloatVector vl = FloatVector.broadcast(F, lse[qo + i]);
      FloatVector vd = FloatVector.broadcast(F, delta[qo + i]);
      for (int at = i * columns; at < (i + 1) * columns; at += L) {
        FloatVector p = VectorFunctions.exp2(FloatVector.fromArray(F, s, at).sub(vl));
        p.intoArray(s, at);
        p.mul(FloatVector.fromArray(F, dp, at).sub(vd)).intoArray(dp, at);
      }
    }
  }
}
