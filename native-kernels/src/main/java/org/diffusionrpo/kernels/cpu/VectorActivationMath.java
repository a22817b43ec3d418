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
    VectorSigmoid sigmoid = new VectorSigmoid();
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector v = FloatVector.fromArray(F, x, xo + i);
      v.mul(sigmoid.of(v.mul(slope))).intoArray(y, yo + i);
    }
    TAIL.swish(y, yo + end, x, xo + end, slope, n - end);
  }

  @Override
  public void swishBackward(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, float slope, int n) {
    VectorSigmoid sigmoid = new VectorSigmoid();
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector v = FloatVector.fromArray(F, x, xo + i).mul(slope);
      FloatVector slopes = sigmoid.siluSlope(v, sigmoid.of(v));
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
  public void gatedGelu(float[] y, int yo, float[] a, int ao, float[] gate, int go, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector g = FloatVector.fromArray(F, gate, go + i);
      FloatVector.fromArray(F, a, ao + i).mul(g.mul(VectorFunctions.normal(g))).intoArray(y, yo + i);
    }
    TAIL.gatedGelu(y, yo + end, a, ao + end, gate, go + end, n - end);
  }

  @Override
  public void normal(float[] normal, float[] density, int po, float[] x, int xo, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector v = FloatVector.fromArray(F, x, xo + i);
      FloatVector magnitude = VectorFunctions.magnitude(v);
      FloatVector gaussian = VectorFunctions.gaussian(magnitude);
      VectorFunctions.density(gaussian).intoArray(density, po + i);
      VectorFunctions.normal(v, VectorFunctions.normalTail(magnitude, gaussian)).intoArray(normal, po + i);
    }
    TAIL.normal(normal, density, po + end, x, xo + end, n - end);
  }

  @Override
  public void geluBackward(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, float[] normal,
      float[] density, int po, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector vp = FloatVector.fromArray(F, normal, po + i);
      FloatVector slope = FloatVector.fromArray(F, x, xo + i).fma(FloatVector.fromArray(F, density, po + i), vp);
      FloatVector.fromArray(F, dy, dyo + i).mul(slope).intoArray(dx, dxo + i);
    }
    TAIL.geluBackward(dx, dxo + end, dy, dyo + end, x, xo + end, normal, density, po + end, n - end);
  }

  @Override
  public void gatedGeluBackward(float[] da, int dao, float[] dGate, int dgo, float[] dy, int dyo, float[] a, int ao,
      float[] gate, int go, float[] normal, float[] density, int po, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector d = FloatVector.fromArray(F, dy, dyo + i);
      FloatVector g = FloatVector.fromArray(F, gate, go + i);
      FloatVector value = FloatVector.fromArray(F, a, ao + i);
      FloatVector vp = FloatVector.fromArray(F, normal, po + i);
      FloatVector slope = g.fma(FloatVector.fromArray(F, density, po + i), vp);
      d.mul(g.mul(vp)).intoArray(da, dao + i);
      d.mul(value).mul(slope).intoArray(dGate, dgo + i);
    }
    TAIL.gatedGeluBackward(da, dao + end, dGate, dgo + end, dy, dyo + end, a, ao + end, gate, go + end, normal, density,
        po + end, n - end);
  }
}
