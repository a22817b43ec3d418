package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Vector API. A loop over whole vectors, then plain Java for the rest. */
final class VectorActivationMath implements ActivationMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ScalarActivationMath TAIL = new ScalarActivationMath();

  @Override
  public void swish(float[] y, int yo, float[] x, int xo, float slope, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector v = FloatVector.fromArray(F, x, xo + i);
      v.mul(VectorFunctions.sigmoid(v.mul(slope))).intoArray(y, yo + i);
    }
    TAIL.swish(y, yo + end, x, xo + end, slope, n - end);
  }

  @Override
  public void swishBackward(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, float slope, int n) {
    FloatVector one = FloatVector.broadcast(F, 1f);
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector v = FloatVector.fromArray(F, x, xo + i).mul(slope);
      FloatVector s = VectorFunctions.sigmoid(v);
      FloatVector slopes = s.mul(v.fma(one.sub(s), one));
      FloatVector.fromArray(F, dy, dyo + i).mul(slopes).intoArray(dx, dxo + i);
    }
    TAIL.swishBackward(dx, dxo + end, dy, dyo + end, x, xo + end, slope, n - end);
  }

  @Override
  public void gelu(float[] y, int yo, float[] x, int xo, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector v = FloatVector.fromArray(F, x, xo + i);
      v.mul(VectorFunctions.normal(v)).intoArray(y, yo + i);
    }
    TAIL.gelu(y, yo + end, x, xo + end, n - end);
  }

  @Override
  public void geluBackward(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector slopes = VectorFunctions.geluSlope(FloatVector.fromArray(F, x, xo + i));
      FloatVector.fromArray(F, dy, dyo + i).mul(slopes).intoArray(dx, dxo + i);
    }
    TAIL.geluBackward(dx, dxo + end, dy, dyo + end, x, xo + end, n - end);
  }

  @Override
  public void gatedGelu(float[] y, int yo, float[] a, int ao, float[] gate, int go, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector g = FloatVector.fromArray(F, gate, go + i);
      FloatVector.fromArray(F, a, ao + i).mul(g.mul(VectorFunctions.normal(g))).intoArray(y, yo + i);
    }
    TAIL.gatedGelu(y, yo + end, a, ao + end, gate, go + end, n - end);
  }

  @Override
  public void gatedGeluBackward(float[] da, int dao, float[] dGate, int dgo, float[] dy, int dyo, float[] a, int ao,
      float[] gate, int go, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector g = FloatVector.fromArray(F, gate, go + i);
      FloatVector value = FloatVector.fromArray(F, a, ao + i);
      FloatVector dOut = FloatVector.fromArray(F, dy, dyo + i);
      FloatVector magnitude = VectorFunctions.magnitude(g);
      FloatVector gaussian = VectorFunctions.gaussian(magnitude);
      FloatVector normal = VectorFunctions.normal(g, VectorFunctions.normalTail(magnitude, gaussian));
      dOut.mul(g.mul(normal)).intoArray(da, dao + i);
      dOut.mul(value).mul(VectorFunctions.geluSlope(g, normal, gaussian)).intoArray(dGate, dgo + i);
    }
    TAIL.gatedGeluBackward(da, dao + end, dGate, dgo + end, dy, dyo + end, a, ao + end, gate, go + end, n - end);
  }
}
