package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Vector API. A loop over whole vectors, then plain Java for the rest. */
final class VectorArrayMath implements ArrayMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ScalarArrayMath TAIL = new ScalarArrayMath();

  @Override
  public int lanes() {
    return L;
  }

  @Override
  public void add(float[] y, int yo, float[] a, int ao, float[] b, int bo, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector.fromArray(F, a, ao + i).add(FloatVector.fromArray(F, b, bo + i)).intoArray(y, yo + i);
    }
    TAIL.add(y, yo + end, a, ao + end, b, bo + end, n - end);
  }

  @Override
  public void multiply(float[] y, int yo, float[] a, int ao, float[] b, int bo, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector.fromArray(F, a, ao + i).mul(FloatVector.fromArray(F, b, bo + i)).intoArray(y, yo + i);
    }
    TAIL.multiply(y, yo + end, a, ao + end, b, bo + end, n - end);
  }

  @Override
  public void scale(float[] y, int yo, float[] x, int xo, float scale, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector.fromArray(F, x, xo + i).mul(scale).intoArray(y, yo + i);
    }
    TAIL.scale(y, yo + end, x, xo + end, scale, n - end);
  }

  @Override
  public void axpy(float[] y, int yo, float a, float[] x, int xo, int n) {
    FloatVector va = FloatVector.broadcast(F, a);
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector.fromArray(F, x, xo + i).fma(va, FloatVector.fromArray(F, y, yo + i)).intoArray(y, yo + i);
    }
    TAIL.axpy(y, yo + end, a, x, xo + end, n - end);
  }

  @Override
  public void lerp(float[] y, int yo, float[] x, int xo, float weight, int n) {
    FloatVector vw = FloatVector.broadcast(F, weight);
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector vy = FloatVector.fromArray(F, y, yo + i);
      FloatVector.fromArray(F, x, xo + i).sub(vy).fma(vw, vy).intoArray(y, yo + i);
    }
    TAIL.lerp(y, yo + end, x, xo + end, weight, n - end);
  }

  @Override
  public void scaledDifference(float[] y, int yo, float[] a, int ao, float[] b, int bo, float scale, int n) {
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector.fromArray(F, a, ao + i).sub(FloatVector.fromArray(F, b, bo + i)).mul(scale).intoArray(y, yo + i);
    }
    TAIL.scaledDifference(y, yo + end, a, ao + end, b, bo + end, scale, n - end);
  }

  @Override
  public void columnSums(float[] sum, int so, float[] x, int xo, int rows, int stride, int n) {
    int end = F.loopBound(n);
    for (int j = 0; j < end; j += L) {
      FloatVector.zero(F).intoArray(sum, so + j);
    }
    int r = 0;
    for (; r + 4 <= rows; r += 4) { // four rows at a time, so that the sums travel to the cache and back less often
      int at = xo + r * stride;
      for (int j = 0; j < end; j += L) {
        FloatVector top = FloatVector.fromArray(F, x, at + j).add(FloatVector.fromArray(F, x, at + stride + j));
        FloatVector bottom = FloatVector.fromArray(F, x, at + 2 * stride + j)
            .add(FloatVector.fromArray(F, x, at + 3 * stride + j));
        FloatVector.fromArray(F, sum, so + j).add(top.add(bottom)).intoArray(sum, so + j);
      }
    }
    for (; r < rows; r++) {
      add(sum, so, sum, so, x, xo + r * stride, end);
    }
    TAIL.columnSums(sum, so + end, x, xo + end, rows, stride, n - end);
  }

  @Override
  public double sum(float[] x, int xo, int n) {
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int i = 0;
    for (; i + 4 * L <= n; i += 4 * L) {
      s0 = s0.add(FloatVector.fromArray(F, x, xo + i));
      s1 = s1.add(FloatVector.fromArray(F, x, xo + i + L));
      s2 = s2.add(FloatVector.fromArray(F, x, xo + i + 2 * L));
      s3 = s3.add(FloatVector.fromArray(F, x, xo + i + 3 * L));
    }
    for (; i + L <= n; i += L) {
      s0 = s0.add(FloatVector.fromArray(F, x, xo + i));
    }
    return laneSum(s0.add(s1).add(s2.add(s3))) + TAIL.sum(x, xo + i, n - i);
  }

  /** The lanes added in double, four sums in turn: one order on every run. */
  static double laneSum(FloatVector v) {
    float[] lanes = v.toArray();
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    for (int i = 0; i < lanes.length; i += 4) { // no vector is shorter than four floats
      s0 += lanes[i];
      s1 += lanes[i + 1];
      s2 += lanes[i + 2];
      s3 += lanes[i + 3];
    }
    return s0 + s1 + (s2 + s3);
  }
}
