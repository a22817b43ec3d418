package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Vector API. In the softmax a query is a lane, so no sum ever crosses the lanes. */
final class VectorAttentionMath implements AttentionMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();

  /**
   * Four rows in turn, since each maximum waits for the one before, and since the JDK's max is slow. What goes round
   * the loop cannot go through {@link VectorFunctions#greater}: the JIT of JDK 17 would put it on the heap.
   */
  @Override
  public void raiseMaximum(float[] s, int rows, int columns, float[] max, float[] drop, int at) {
    for (int j = 0; j < columns; j += L) {
      FloatVector m = FloatVector.fromArray(F, max, at + j);
      int i = j;
      for (; i + 3 * columns < rows * columns; i += 4 * columns) {
        FloatVector a = VectorFunctions.greater(FloatVector.fromArray(F, s, i),
            FloatVector.fromArray(F, s, i + columns));
        FloatVector b = VectorFunctions.greater(FloatVector.fromArray(F, s, i + 2 * columns),
            FloatVector.fromArray(F, s, i + 3 * columns));
        m = m.max(VectorFunctions.greater(a, b));
      }
      for (; i < rows * columns; i += columns) {
        m = m.max(FloatVector.fromArray(F, s, i));
      }
      FloatVector.fromArray(F, max, at + j).sub(m).intoArray(drop, at + j);
      m.intoArray(max, at + j);
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

  /** Both vectors of a row before the first store: the compiler loads constants again behind each store. */
  @Override
  public void gradient(float[] s, float[] dp, int rows, int columns, float[] lse, float[] delta, int qo) {
    for (int i = 0; i < rows; i++) {
      FloatVector vl = FloatVector.broadcast(F, lse[qo + i]);
      FloatVector vd = FloatVector.broadcast(F, delta[qo + i]);
      for (int at = i * columns; at < (i + 1) * columns; at += 2 * L) {
        FloatVector p0 = VectorFunctions.exp2(FloatVector.fromArray(F, s, at).sub(vl));
        FloatVector p1 = VectorFunctions.exp2(FloatVector.fromArray(F, s, at + L).sub(vl));
        p0.intoArray(s, at);
        p1.intoArray(s, at + L);
        p0.mul(FloatVector.fromArray(F, dp, at).sub(vd)).intoArray(dp, at);
        p1.mul(FloatVector.fromArray(F, dp, at + L).sub(vd)).intoArray(dp, at + L);
      }
    }
  }
}
