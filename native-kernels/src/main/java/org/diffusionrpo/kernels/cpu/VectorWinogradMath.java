package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Vector API; channels that do not fill a vector are left to the plain version. */
final class VectorWinogradMath implements WinogradMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final float SIXTH = ScalarWinogradMath.SIXTH;
  private static final float TWELFTH = ScalarWinogradMath.TWELFTH;
  private static final float TWENTY_FOURTH = ScalarWinogradMath.TWENTY_FOURTH;
  private static final ScalarWinogradMath TAIL = new ScalarWinogradMath();

  private static FloatVector load(float[] from, int at) {
    return FloatVector.fromArray(F, from, at);
  }

  @Override
  public void input(float[] to, int toStart, int toStep, float[] from, int start, int step, int n) {
    int end = F.loopBound(n);
    for (int c = 0; c < end; c += L) {
      int at = start + c;
      int out = toStart + c;
      FloatVector d0 = load(from, at);
      FloatVector d1 = load(from, at + step);
      FloatVector d2 = load(from, at + 2 * step);
      FloatVector d3 = load(from, at + 3 * step);
      FloatVector d4 = load(from, at + 4 * step);
      FloatVector d5 = load(from, at + 5 * step);
      FloatVector even = d4.sub(d2.mul(4f));
      FloatVector odd = d3.sub(d1.mul(4f));
      FloatVector near = d4.sub(d2);
      FloatVector far = d3.sub(d1).mul(2f);
      d0.mul(4f).sub(d2.mul(5f)).add(d4).intoArray(to, out);
      even.add(odd).intoArray(to, out + toStep);
      even.sub(odd).intoArray(to, out + 2 * toStep);
      near.add(far).intoArray(to, out + 3 * toStep);
      near.sub(far).intoArray(to, out + 4 * toStep);
      d1.mul(4f).sub(d3.mul(5f)).add(d5).intoArray(to, out + 5 * toStep);
    }
    TAIL.input(to, toStart + end, toStep, from, start + end, step, n - end);
  }

  @Override
  public void output(float[] to, int toStart, int toStep, float[] from, int start, int step, int n) {
    int end = F.loopBound(n);
    for (int c = 0; c < end; c += L) {
      int at = start + c;
      int out = toStart + c;
      FloatVector m0 = load(from, at);
      FloatVector m1 = load(from, at + step);
      FloatVector m2 = load(from, at + 2 * step);
      FloatVector m3 = load(from, at + 3 * step);
      FloatVector m4 = load(from, at + 4 * step);
      FloatVector m5 = load(from, at + 5 * step);
      FloatVector near = m1.add(m2);
      FloatVector nearGap = m1.sub(m2);
      FloatVector far = m3.add(m4);
      FloatVector farGap = m3.sub(m4);
      m0.add(near).add(far).intoArray(to, out);
      nearGap.add(farGap.mul(2f)).intoArray(to, out + toStep);
      near.add(far.mul(4f)).intoArray(to, out + 2 * toStep);
      nearGap.add(farGap.mul(8f)).add(m5).intoArray(to, out + 3 * toStep);
    }
    TAIL.output(to, toStart + end, toStep, from, start + end, step, n - end);
  }

  @Override
  public void filter(float[] to, int toStart, int toStep, float[] from, int start, int step, int n) {
    int end = F.loopBound(n);
    for (int c = 0; c < end; c += L) {
      int at = start + c;
      int out = toStart + c;
      FloatVector g0 = load(from, at);
      FloatVector g1 = load(from, at + step);
      FloatVector g2 = load(from, at + 2 * step);
      FloatVector sixth = g0.add(g2).mul(SIXTH);
      FloatVector middle = g1.mul(SIXTH);
      FloatVector outer = g0.mul(TWENTY_FOURTH).add(g2.mul(SIXTH));
      FloatVector half = g1.mul(TWELFTH);
      g0.mul(0.25f).intoArray(to, out);
      sixth.add(middle).neg().intoArray(to, out + toStep);
      middle.sub(sixth).intoArray(to, out + 2 * toStep);
      outer.add(half).intoArray(to, out + 3 * toStep);
      outer.sub(half).intoArray(to, out + 4 * toStep);
      g2.intoArray(to, out + 5 * toStep);
    }
    TAIL.filter(to, toStart + end, toStep, from, start + end, step, n - end);
  }

  @Override
  public void outputGradient(float[] to, int toStart, int toStep, float[] from, int start, int step, int n) {
    int end = F.loopBound(n);
    for (int c = 0; c < end; c += L) {
      int at = start + c;
      int out = toStart + c;
      FloatVector y0 = load(from, at);
      FloatVector y1 = load(from, at + step);
      FloatVector y2 = load(from, at + 2 * step);
      FloatVector y3 = load(from, at + 3 * step);
      FloatVector even = y0.add(y2);
      FloatVector odd = y1.add(y3);
      FloatVector near = y0.add(y2.mul(4f));
      FloatVector far = y1.mul(2f).add(y3.mul(8f));
      y0.intoArray(to, out);
      even.add(odd).intoArray(to, out + toStep);
      even.sub(odd).intoArray(to, out + 2 * toStep);
      near.add(far).intoArray(to, out + 3 * toStep);
      near.sub(far).intoArray(to, out + 4 * toStep);
      y3.intoArray(to, out + 5 * toStep);
    }
    TAIL.outputGradient(to, toStart + end, toStep, from, start + end, step, n - end);
  }

  @Override
  public void filterGradient(float[] to, int toStart, int toStep, float[] from, int start, int step, int n) {
    int end = F.loopBound(n);
    for (int c = 0; c < end; c += L) {
      int at = start + c;
      int out = toStart + c;
      FloatVector u0 = load(from, at);
      FloatVector u1 = load(from, at + step);
      FloatVector u2 = load(from, at + 2 * step);
      FloatVector u3 = load(from, at + 3 * step);
      FloatVector u4 = load(from, at + 4 * step);
      FloatVector u5 = load(from, at + 5 * step);
      FloatVector near = u1.add(u2).mul(SIXTH);
      FloatVector far = u3.add(u4);
      u0.mul(0.25f).sub(near).add(far.mul(TWENTY_FOURTH)).intoArray(to, out);
      u2.sub(u1).mul(SIXTH).add(u3.sub(u4).mul(TWELFTH)).intoArray(to, out + toStep);
      far.mul(SIXTH).sub(near).add(u5).intoArray(to, out + 2 * toStep);
    }
    TAIL.filterGradient(to, toStart + end, toStep, from, start + end, step, n - end);
  }
}
