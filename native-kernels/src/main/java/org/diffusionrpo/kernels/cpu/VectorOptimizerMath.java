package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Vector API. A loop over whole vectors, then plain Java for the rest. */
final class VectorOptimizerMath implements OptimizerMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  /** Vectors whose squares one lane adds in float before the sum moves on to double. */
  private static final int RUN = 32 * L;
  private static final ScalarOptimizerMath TAIL = new ScalarOptimizerMath();

  @Override
  public void adamW(float[] w, float[] g, float[] m, float[] v, int from, int n, AdamW.Coefficients c) {
    FloatVector newShare1 = FloatVector.broadcast(F, c.newShare1());
    FloatVector newShare2 = FloatVector.broadcast(F, c.newShare2());
    FloatVector rootScale = FloatVector.broadcast(F, c.rootScale());
    FloatVector eps = FloatVector.broadcast(F, c.eps());
    FloatVector decay = FloatVector.broadcast(F, c.decay());
    float beta2 = c.beta2();
    float rate = c.rate();
    int end = from + F.loopBound(n);
    for (int i = from; i < end; i += L) {
      FloatVector vg = FloatVector.fromArray(F, g, i);
      FloatVector vm = FloatVector.fromArray(F, m, i);
      vm = vg.sub(vm).fma(newShare1, vm);
      FloatVector vv = vg.mul(vg).fma(newShare2, FloatVector.fromArray(F, v, i).mul(beta2));
      vm.intoArray(m, i);
      vv.intoArray(v, i);
      FloatVector update = vm.mul(rate).div(vv.sqrt().fma(rootScale, eps));
      FloatVector vw = FloatVector.fromArray(F, w, i);
      vw.sub(vw.fma(decay, update)).intoArray(w, i);
    }
    TAIL.adamW(w, g, m, v, end, from + n - end, c);
  }

  @Override
  public void addSquares(float[] sum, int so, float[] g, int go, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector vg = FloatVector.fromArray(F, g, go + i);
      vg.fma(vg, FloatVector.fromArray(F, sum, so + i)).intoArray(sum, so + i);
    }
    TAIL.addSquares(sum, so + end, g, go + end, n - end);
  }

  @Override
  public double sumOfSquaredProducts(float[] g, int go, float[] factor, int fo, int n) {
    double sum = 0;
    int end = F.loopBound(n);
    for (int start = 0; start < end; start += RUN) {
      FloatVector lanes = FloatVector.zero(F);
      int runEnd = Math.min(start + RUN, end);
      for (int i = start; i < runEnd; i += L) {
        FloatVector product = FloatVector.fromArray(F, g, go + i).mul(FloatVector.fromArray(F, factor, fo + i));
        lanes = product.fma(product, lanes);
      }
      sum += VectorArrayMath.laneSum(lanes);
    }
    return sum + TAIL.sumOfSquaredProducts(g, go + end, factor, fo + end, n - end);
  }

  @Override
  public void factoredUpdate(float[] w, int wo, float[] g, int go, float[] factor, int fo, float decay, float step,
      int n) {
    FloatVector vd = FloatVector.broadcast(F, decay);
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector update = FloatVector.fromArray(F, g, go + i).mul(FloatVector.fromArray(F, factor, fo + i)).mul(step);
      FloatVector vw = FloatVector.fromArray(F, w, wo + i);
      vw.sub(vw.fma(vd, update)).intoArray(w, wo + i);
    }
    TAIL.factoredUpdate(w, wo + end, g, go + end, factor, fo + end, decay, step, n - end);
  }
}
