package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Vector API. A loop over whole vectors, then plain Java for the rest. */
final class VectorNormMath implements NormMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final ScalarNormMath TAIL = new ScalarNormMath();

  @Override
  public void addDeviations(double[] sums, float[] x, int xo, float center, int n) {
    FloatVector vc = FloatVector.broadcast(F, center);
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = s0;
    FloatVector q0 = s0;
    FloatVector q1 = s0;
    int i = 0;
    for (; i + 2 * L <= n; i += 2 * L) {
      FloatVector d0 = FloatVector.fromArray(F, x, xo + i).sub(vc);
      FloatVector d1 = FloatVector.fromArray(F, x, xo + i + L).sub(vc);
      s0 = s0.add(d0);
      s1 = s1.add(d1);
      q0 = d0.fma(d0, q0);
      q1 = d1.fma(d1, q1);
    }
    sums[0] += VectorArrayMath.laneSum(s0.add(s1));
    sums[1] += VectorArrayMath.laneSum(q0.add(q1));
    TAIL.addDeviations(sums, x, xo + i, center, n - i);
  }

  @Override
  public void normalizeRow(float[] y, int yo, float[] x, int xo, float mean, float rstd, float[] gamma, float[] beta,
      int co, int n) {
    FloatVector vm = FloatVector.broadcast(F, mean);
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector normal = FloatVector.fromArray(F, x, xo + i).sub(vm).mul(rstd);
      normal.fma(FloatVector.fromArray(F, gamma, co + i), FloatVector.fromArray(F, beta, co + i)).intoArray(y, yo + i);
    }
    TAIL.normalizeRow(y, yo + end, x, xo + end, mean, rstd, gamma, beta, co + end, n - end);
  }

  @Override
  public void addRowGradientSums(double[] sums, float[] dy, int dyo, float[] x, int xo, float mean, float[] gamma,
      int co, int n) {
    FloatVector vm = FloatVector.broadcast(F, mean);
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = s0;
    FloatVector p0 = s0;
    FloatVector p1 = s0;
    int i = 0;
    for (; i + 2 * L <= n; i += 2 * L) {
      FloatVector d0 = FloatVector.fromArray(F, dy, dyo + i).mul(FloatVector.fromArray(F, gamma, co + i));
      FloatVector d1 = FloatVector.fromArray(F, dy, dyo + i + L).mul(FloatVector.fromArray(F, gamma, co + i + L));
      s0 = s0.add(d0);
      s1 = s1.add(d1);
      p0 = d0.fma(FloatVector.fromArray(F, x, xo + i).sub(vm), p0);
      p1 = d1.fma(FloatVector.fromArray(F, x, xo + i + L).sub(vm), p1);
    }
    sums[0] += VectorArrayMath.laneSum(s0.add(s1));
    sums[1] += VectorArrayMath.laneSum(p0.add(p1));
    TAIL.addRowGradientSums(sums, dy, dyo + i, x, xo + i, mean, gamma, co + i, n - i);
  }

  @Override
  public void rowGradient(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, float mean, float rstd,
      float slope, float shift, float[] gamma, int co, int n) {
    FloatVector vm = FloatVector.broadcast(F, mean);
    FloatVector vr = FloatVector.broadcast(F, rstd);
    FloatVector vSlope = FloatVector.broadcast(F, slope);
    FloatVector vShift = FloatVector.broadcast(F, shift);
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector fromStatistics = FloatVector.fromArray(F, x, xo + i).sub(vm).fma(vSlope, vShift);
      FloatVector d = FloatVector.fromArray(F, dy, dyo + i).mul(FloatVector.fromArray(F, gamma, co + i));
      d.fma(vr, fromStatistics).intoArray(dx, dxo + i);
    }
    TAIL.rowGradient(dx, dxo + end, dy, dyo + end, x, xo + end, mean, rstd, slope, shift, gamma, co + end, n - end);
  }

  @Override
  public void addParameterGradients(float[] dGamma, float[] dBeta, int co, float[] dy, int dyo, float[] x, int xo,
      float mean, float rstd, int n) {
    FloatVector vm = FloatVector.broadcast(F, mean);
    int end = F.loopBound(n);
    for (int i = 0; i < end; i += L) {
      FloatVector d = FloatVector.fromArray(F, dy, dyo + i);
      FloatVector normal = FloatVector.fromArray(F, x, xo + i).sub(vm).mul(rstd);
      d.fma(normal, FloatVector.fromArray(F, dGamma, co + i)).intoArray(dGamma, co + i);
      FloatVector.fromArray(F, dBeta, co + i).add(d).intoArray(dBeta, co + i);
    }
    TAIL.addParameterGradients(dGamma, dBeta, co + end, dy, dyo + end, x, xo + end, mean, rstd, n - end);
  }

  @Override
  public void columnDeviations(float[] sum, float[] squares, float[] center, int co, float[] x, int xo, int rows,
      int stride, int n) {
    int end = F.loopBound(n);
    clear(sum, co, end);
    clear(squares, co, end);
    int r = 0;
    for (; r + 4 <= rows; r += 4) { // four rows at a time, so that the sums travel to the cache and back less often
      int at = xo + r * stride;
      for (int j = 0; j < end; j += L) {
        FloatVector vc = FloatVector.fromArray(F, center, co + j);
        FloatVector d0 = FloatVector.fromArray(F, x, at + j).sub(vc);
        FloatVector d1 = FloatVector.fromArray(F, x, at + stride + j).sub(vc);
        FloatVector d2 = FloatVector.fromArray(F, x, at + 2 * stride + j).sub(vc);
        FloatVector d3 = FloatVector.fromArray(F, x, at + 3 * stride + j).sub(vc);
        FloatVector four = d0.add(d1).add(d2.add(d3));
        FloatVector fourSquares = d1.fma(d1, d0.mul(d0)).add(d3.fma(d3, d2.mul(d2)));
        FloatVector.fromArray(F, sum, co + j).add(four).intoArray(sum, co + j);
        FloatVector.fromArray(F, squares, co + j).add(fourSquares).intoArray(squares, co + j);
      }
    }
    for (; r < rows; r++) {
      int at = xo + r * stride;
      for (int j = 0; j < end; j += L) {
        FloatVector d = FloatVector.fromArray(F, x, at + j).sub(FloatVector.fromArray(F, center, co + j));
        FloatVector.fromArray(F, sum, co + j).add(d).intoArray(sum, co + j);
        d.fma(d, FloatVector.fromArray(F, squares, co + j)).intoArray(squares, co + j);
      }
    }
    TAIL.columnDeviations(sum, squares, center, co + end, x, xo + end, rows, stride, n - end);
  }

  @Override
  public void columnGradientSums(float[] sum, float[] product, float[] mean, int co, float[] dy, float[] x, int xo,
      int rows, int stride, int n) {
    int end = F.loopBound(n);
    clear(sum, co, end);
    clear(product, co, end);
    int r = 0;
    for (; r + 2 <= rows; r += 2) {
      int at = xo + r * stride;
      for (int j = 0; j < end; j += L) {
        FloatVector vm = FloatVector.fromArray(F, mean, co + j);
        FloatVector d0 = FloatVector.fromArray(F, dy, at + j);
        FloatVector d1 = FloatVector.fromArray(F, dy, at + stride + j);
        FloatVector p0 = d0.mul(FloatVector.fromArray(F, x, at + j).sub(vm));
        FloatVector both = d1.fma(FloatVector.fromArray(F, x, at + stride + j).sub(vm), p0);
        FloatVector.fromArray(F, sum, co + j).add(d0.add(d1)).intoArray(sum, co + j);
        FloatVector.fromArray(F, product, co + j).add(both).intoArray(product, co + j);
      }
    }
    if (r < rows) {
      int at = xo + r * stride;
      for (int j = 0; j < end; j += L) {
        FloatVector d = FloatVector.fromArray(F, dy, at + j);
        FloatVector deviation = FloatVector.fromArray(F, x, at + j).sub(FloatVector.fromArray(F, mean, co + j));
        FloatVector.fromArray(F, sum, co + j).add(d).intoArray(sum, co + j);
        d.fma(deviation, FloatVector.fromArray(F, product, co + j)).intoArray(product, co + j);
      }
    }
    TAIL.columnGradientSums(sum, product, mean, co + end, dy, x, xo + end, rows, stride, n - end);
  }

  @Override
  public void normalizeColumns(float[] y, float[] x, int xo, float[] mean, float[] scale, float[] shift, int co,
      int rows, int stride, int n) {
    int end = F.loopBound(n);
    for (int r = 0; r < rows; r++) {
      int at = xo + r * stride;
      for (int j = 0; j < end; j += L) {
        normalized(x, at + j, mean, scale, shift, co + j).intoArray(y, at + j);
      }
    }
    TAIL.normalizeColumns(y, x, xo + end, mean, scale, shift, co + end, rows, stride, n - end);
  }

  @Override
  public void normalizeColumnsSilu(float[] y, float[] x, int xo, float[] mean, float[] scale, float[] shift, int co,
      int rows, int stride, int n) {
    VectorSigmoid sigmoid = new VectorSigmoid();
    int end = F.loopBound(n);
    for (int r = 0; r < rows; r++) {
      int at = xo + r * stride;
      for (int j = 0; j < end; j += L) {
        FloatVector h = normalized(x, at + j, mean, scale, shift, co + j);
        h.mul(sigmoid.of(h)).intoArray(y, at + j);
      }
    }
    TAIL.normalizeColumnsSilu(y, x, xo + end, mean, scale, shift, co + end, rows, stride, n - end);
  }

  @Override
  public void columnSiluGradient(float[] dh, float[] dy, float[] x, int xo, float[] mean, float[] scale, float[] shift,
      int co, int rows, int stride, int n) {
    VectorSigmoid sigmoid = new VectorSigmoid();
    int end = F.loopBound(n);
    for (int r = 0; r < rows; r++) {
      int at = xo + r * stride;
      for (int j = 0; j < end; j += L) {
        FloatVector h = normalized(x, at + j, mean, scale, shift, co + j);
        FloatVector slope = sigmoid.siluSlope(h, sigmoid.of(h));
        FloatVector.fromArray(F, dy, at + j).mul(slope).intoArray(dh, at + j);
      }
    }
    TAIL.columnSiluGradient(dh, dy, x, xo + end, mean, scale, shift, co + end, rows, stride, n - end);
  }

  private static FloatVector normalized(float[] x, int at, float[] mean, float[] scale, float[] shift, int c) {
    FloatVector deviation = FloatVector.fromArray(F, x, at).sub(FloatVector.fromArray(F, mean, c));
    return deviation.fma(FloatVector.fromArray(F, scale, c), FloatVector.fromArray(F, shift, c));
  }

  @Override
  public void columnGradient(float[] dx, float[] dy, float[] x, int xo, float[] mean, float[] scale, float[] slope,
      float[] shift, int co, int rows, int stride, int n) {
    int end = F.loopBound(n);
    for (int r = 0; r < rows; r++) {
      int at = xo + r * stride;
      for (int j = 0; j < end; j += L) {
        FloatVector deviation = FloatVector.fromArray(F, x, at + j).sub(FloatVector.fromArray(F, mean, co + j));
        FloatVector vSlope = FloatVector.fromArray(F, slope, co + j);
        FloatVector fromStatistics = deviation.fma(vSlope, FloatVector.fromArray(F, shift, co + j));
        FloatVector vScale = FloatVector.fromArray(F, scale, co + j);
        FloatVector.fromArray(F, dy, at + j).fma(vScale, fromStatistics).intoArray(dx, at + j);
      }
    }
    TAIL.columnGradient(dx, dy, x, xo + end, mean, scale, slope, shift, co + end, rows, stride, n - end);
  }

  private static void clear(float[] sum, int from, int n) {
    for (int j = 0; j < n; j += L) {
      FloatVector.zero(F).intoArray(sum, from + j);
    }
  }
}
