package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Tile of 4 rows by two vectors, for 16 vector registers: {@link VectorAttentionTile8} with fewer rows. */
final class VectorAttentionTile4 implements AttentionTile {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final int LINE = 2 * L;

  @Override
  public int rows() {
    return 4;
  }

  @Override
  public int columns() {
    return LINE;
  }

  @Override
  public void multiply(float[] c, int co, boolean add, float[] a, int ao, int step, float[] b, int bo, int k) {
    FloatVector zero = FloatVector.zero(F);
    FloatVector c0a = zero, c0b = zero;
    FloatVector c1a = zero, c1b = zero;
    FloatVector c2a = zero, c2b = zero;
    FloatVector c3a = zero, c3b = zero;
    int at = ao;
    int right = bo;
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(F, b, right);
      FloatVector b1 = FloatVector.fromArray(F, b, right + L);
      FloatVector v;
      v = FloatVector.broadcast(F, a[at]);
      c0a = v.fma(b0, c0a);
      c0b = v.fma(b1, c0b);
      v = FloatVector.broadcast(F, a[at + 1]);
      c1a = v.fma(b0, c1a);
      c1b = v.fma(b1, c1b);
      v = FloatVector.broadcast(F, a[at + 2]);
      c2a = v.fma(b0, c2a);
      c2b = v.fma(b1, c2b);
      v = FloatVector.broadcast(F, a[at + 3]);
      c3a = v.fma(b0, c3a);
      c3b = v.fma(b1, c3b);
      at += step;
      right += LINE;
    }
    if (add) {
      c0a = c0a.add(FloatVector.fromArray(F, c, co));
      c0b = c0b.add(FloatVector.fromArray(F, c, co + L));
      c1a = c1a.add(FloatVector.fromArray(F, c, co + LINE));
      c1b = c1b.add(FloatVector.fromArray(F, c, co + LINE + L));
      c2a = c2a.add(FloatVector.fromArray(F, c, co + 2 * LINE));
      c2b = c2b.add(FloatVector.fromArray(F, c, co + 2 * LINE + L));
      c3a = c3a.add(FloatVector.fromArray(F, c, co + 3 * LINE));
      c3b = c3b.add(FloatVector.fromArray(F, c, co + 3 * LINE + L));
    }
    c0a.intoArray(c, co);
    c0b.intoArray(c, co + L);
    c1a.intoArray(c, co + LINE);
    c1b.intoArray(c, co + LINE + L);
    c2a.intoArray(c, co + 2 * LINE);
    c2b.intoArray(c, co + 2 * LINE + L);
    c3a.intoArray(c, co + 3 * LINE);
    c3b.intoArray(c, co + 3 * LINE + L);
  }

  @Override
  public void multiplyHalf(float[] c, int co, boolean add, float[] a, int ao, int step, float[] b, int bo, int k) {
    FloatVector zero = FloatVector.zero(F);
    FloatVector c0 = zero;
    FloatVector c1 = zero;
    FloatVector c2 = zero;
    FloatVector c3 = zero;
    int at = ao;
    int right = bo;
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(F, b, right);
      FloatVector v;
      v = FloatVector.broadcast(F, a[at]);
      c0 = v.fma(b0, c0);
      v = FloatVector.broadcast(F, a[at + 1]);
      c1 = v.fma(b0, c1);
      v = FloatVector.broadcast(F, a[at + 2]);
      c2 = v.fma(b0, c2);
      v = FloatVector.broadcast(F, a[at + 3]);
      c3 = v.fma(b0, c3);
      at += step;
      right += LINE;
    }
    if (add) {
      c0 = c0.add(FloatVector.fromArray(F, c, co));
      c1 = c1.add(FloatVector.fromArray(F, c, co + LINE));
      c2 = c2.add(FloatVector.fromArray(F, c, co + 2 * LINE));
      c3 = c3.add(FloatVector.fromArray(F, c, co + 3 * LINE));
    }
    c0.intoArray(c, co);
    c1.intoArray(c, co + LINE);
    c2.intoArray(c, co + 2 * LINE);
    c3.intoArray(c, co + 3 * LINE);
  }

  @Override
  public void addLines(float[] c, int co, int ldc, float[] a, int ao, float[] b, int bo, int ldb, int k) {
    FloatVector zero = FloatVector.zero(F);
    FloatVector c0a = zero, c0b = zero;
    FloatVector c1a = zero, c1b = zero;
    FloatVector c2a = zero, c2b = zero;
    FloatVector c3a = zero, c3b = zero;
    int right = bo;
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(F, b, right);
      FloatVector b1 = FloatVector.fromArray(F, b, right + L);
      FloatVector v;
      v = FloatVector.broadcast(F, a[ao + p]);
      c0a = v.fma(b0, c0a);
      c0b = v.fma(b1, c0b);
      v = FloatVector.broadcast(F, a[ao + LINE + p]);
      c1a = v.fma(b0, c1a);
      c1b = v.fma(b1, c1b);
      v = FloatVector.broadcast(F, a[ao + 2 * LINE + p]);
      c2a = v.fma(b0, c2a);
      c2b = v.fma(b1, c2b);
      v = FloatVector.broadcast(F, a[ao + 3 * LINE + p]);
      c3a = v.fma(b0, c3a);
      c3b = v.fma(b1, c3b);
      right += ldb;
    }
    c0a.add(FloatVector.fromArray(F, c, co)).intoArray(c, co);
    c0b.add(FloatVector.fromArray(F, c, co + L)).intoArray(c, co + L);
    c1a.add(FloatVector.fromArray(F, c, co + ldc)).intoArray(c, co + ldc);
    c1b.add(FloatVector.fromArray(F, c, co + ldc + L)).intoArray(c, co + ldc + L);
    c2a.add(FloatVector.fromArray(F, c, co + 2 * ldc)).intoArray(c, co + 2 * ldc);
    c2b.add(FloatVector.fromArray(F, c, co + 2 * ldc + L)).intoArray(c, co + 2 * ldc + L);
    c3a.add(FloatVector.fromArray(F, c, co + 3 * ldc)).intoArray(c, co + 3 * ldc);
    c3b.add(FloatVector.fromArray(F, c, co + 3 * ldc + L)).intoArray(c, co + 3 * ldc + L);
  }

  @Override
  public void addHalfLines(float[] c, int co, int ldc, float[] a, int ao, float[] b, int bo, int ldb, int k) {
    FloatVector zero = FloatVector.zero(F);
    FloatVector c0 = zero;
    FloatVector c1 = zero;
    FloatVector c2 = zero;
    FloatVector c3 = zero;
    int right = bo;
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(F, b, right);
      FloatVector v;
      v = FloatVector.broadcast(F, a[ao + p]);
      c0 = v.fma(b0, c0);
      v = FloatVector.broadcast(F, a[ao + LINE + p]);
      c1 = v.fma(b0, c1);
      v = FloatVector.broadcast(F, a[ao + 2 * LINE + p]);
      c2 = v.fma(b0, c2);
      v = FloatVector.broadcast(F, a[ao + 3 * LINE + p]);
      c3 = v.fma(b0, c3);
      right += ldb;
    }
    c0.add(FloatVector.fromArray(F, c, co)).intoArray(c, co);
    c1.add(FloatVector.fromArray(F, c, co + ldc)).intoArray(c, co + ldc);
    c2.add(FloatVector.fromArray(F, c, co + 2 * ldc)).intoArray(c, co + 2 * ldc);
    c3.add(FloatVector.fromArray(F, c, co + 3 * ldc)).intoArray(c, co + 3 * ldc);
  }
}
