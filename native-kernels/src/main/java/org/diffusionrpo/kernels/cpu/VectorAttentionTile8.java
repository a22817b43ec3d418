package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Tile of 8 rows by two vectors. Its 16 sums are enough to keep two multipliers busy, 8 divides the usual sizes of a
 * head (40, 64, 80, 160), where 12 would waste a sixth of the work at 40, and two vectors divide the usual numbers of
 * tokens.
 *
 * <p>Spelled out for the reason that {@link VectorGemmTile12} gives.
 */
final class VectorAttentionTile8 implements AttentionTile {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final int LINE = 2 * L;

  /** As {@link VectorPacking#forPreferredWidth}. */
  static AttentionTile forPreferredWidth() {
    return VectorPacking.manyRegisters() ? new VectorAttentionTile8() : new VectorAttentionTile4();
  }

  @Override
  public int rows() {
    return 8;
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
    FloatVector c4a = zero, c4b = zero;
    FloatVector c5a = zero, c5b = zero;
    FloatVector c6a = zero, c6b = zero;
    FloatVector c7a = zero, c7b = zero;
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
      v = FloatVector.broadcast(F, a[at + 4]);
      c4a = v.fma(b0, c4a);
      c4b = v.fma(b1, c4b);
      v = FloatVector.broadcast(F, a[at + 5]);
      c5a = v.fma(b0, c5a);
      c5b = v.fma(b1, c5b);
      v = FloatVector.broadcast(F, a[at + 6]);
      c6a = v.fma(b0, c6a);
      c6b = v.fma(b1, c6b);
      v = FloatVector.broadcast(F, a[at + 7]);
      c7a = v.fma(b0, c7a);
      c7b = v.fma(b1, c7b);
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
      c4a = c4a.add(FloatVector.fromArray(F, c, co + 4 * LINE));
      c4b = c4b.add(FloatVector.fromArray(F, c, co + 4 * LINE + L));
      c5a = c5a.add(FloatVector.fromArray(F, c, co + 5 * LINE));
      c5b = c5b.add(FloatVector.fromArray(F, c, co + 5 * LINE + L));
      c6a = c6a.add(FloatVector.fromArray(F, c, co + 6 * LINE));
      c6b = c6b.add(FloatVector.fromArray(F, c, co + 6 * LINE + L));
      c7a = c7a.add(FloatVector.fromArray(F, c, co + 7 * LINE));
      c7b = c7b.add(FloatVector.fromArray(F, c, co + 7 * LINE + L));
    }
    c0a.intoArray(c, co);
    c0b.intoArray(c, co + L);
    c1a.intoArray(c, co + LINE);
    c1b.intoArray(c, co + LINE + L);
    c2a.intoArray(c, co + 2 * LINE);
    c2b.intoArray(c, co + 2 * LINE + L);
    c3a.intoArray(c, co + 3 * LINE);
    c3b.intoArray(c, co + 3 * LINE + L);
    c4a.intoArray(c, co + 4 * LINE);
    c4b.intoArray(c, co + 4 * LINE + L);
    c5a.intoArray(c, co + 5 * LINE);
    c5b.intoArray(c, co + 5 * LINE + L);
    c6a.intoArray(c, co + 6 * LINE);
    c6b.intoArray(c, co + 6 * LINE + L);
    c7a.intoArray(c, co + 7 * LINE);
    c7b.intoArray(c, co + 7 * LINE + L);
  }

  @Override
  public void multiplyHalf(float[] c, int co, boolean add, float[] a, int ao, int step, float[] b, int bo, int k) {
    FloatVector zero = FloatVector.zero(F);
    FloatVector c0 = zero;
    FloatVector c1 = zero;
    FloatVector c2 = zero;
    FloatVector c3 = zero;
    FloatVector c4 = zero;
    FloatVector c5 = zero;
    FloatVector c6 = zero;
    FloatVector c7 = zero;
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
      v = FloatVector.broadcast(F, a[at + 4]);
      c4 = v.fma(b0, c4);
      v = FloatVector.broadcast(F, a[at + 5]);
      c5 = v.fma(b0, c5);
      v = FloatVector.broadcast(F, a[at + 6]);
      c6 = v.fma(b0, c6);
      v = FloatVector.broadcast(F, a[at + 7]);
      c7 = v.fma(b0, c7);
      at += step;
      right += LINE;
    }
    if (add) {
      c0 = c0.add(FloatVector.fromArray(F, c, co));
      c1 = c1.add(FloatVector.fromArray(F, c, co + LINE));
      c2 = c2.add(FloatVector.fromArray(F, c, co + 2 * LINE));
      c3 = c3.add(FloatVector.fromArray(F, c, co + 3 * LINE));
      c4 = c4.add(FloatVector.fromArray(F, c, co + 4 * LINE));
      c5 = c5.add(FloatVector.fromArray(F, c, co + 5 * LINE));
      c6 = c6.add(FloatVector.fromArray(F, c, co + 6 * LINE));
      c7 = c7.add(FloatVector.fromArray(F, c, co + 7 * LINE));
    }
    c0.intoArray(c, co);
    c1.intoArray(c, co + LINE);
    c2.intoArray(c, co + 2 * LINE);
    c3.intoArray(c, co + 3 * LINE);
    c4.intoArray(c, co + 4 * LINE);
    c5.intoArray(c, co + 5 * LINE);
    c6.intoArray(c, co + 6 * LINE);
    c7.intoArray(c, co + 7 * LINE);
  }

  @Override
  public void addLines(float[] c, int co, int ldc, float[] a, int ao, float[] b, int bo, int ldb, int k) {
    FloatVector zero = FloatVector.zero(F);
    FloatVector c0a = zero, c0b = zero;
    FloatVector c1a = zero, c1b = zero;
    FloatVector c2a = zero, c2b = zero;
    FloatVector c3a = zero, c3b = zero;
    FloatVector c4a = zero, c4b = zero;
    FloatVector c5a = zero, c5b = zero;
    FloatVector c6a = zero, c6b = zero;
    FloatVector c7a = zero, c7b = zero;
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
      v = FloatVector.broadcast(F, a[ao + 4 * LINE + p]);
      c4a = v.fma(b0, c4a);
      c4b = v.fma(b1, c4b);
      v = FloatVector.broadcast(F, a[ao + 5 * LINE + p]);
      c5a = v.fma(b0, c5a);
      c5b = v.fma(b1, c5b);
      v = FloatVector.broadcast(F, a[ao + 6 * LINE + p]);
      c6a = v.fma(b0, c6a);
      c6b = v.fma(b1, c6b);
      v = FloatVector.broadcast(F, a[ao + 7 * LINE + p]);
      c7a = v.fma(b0, c7a);
      c7b = v.fma(b1, c7b);
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
    c4a.add(FloatVector.fromArray(F, c, co + 4 * ldc)).intoArray(c, co + 4 * ldc);
    c4b.add(FloatVector.fromArray(F, c, co + 4 * ldc + L)).intoArray(c, co + 4 * ldc + L);
    c5a.add(FloatVector.fromArray(F, c, co + 5 * ldc)).intoArray(c, co + 5 * ldc);
    c5b.add(FloatVector.fromArray(F, c, co + 5 * ldc + L)).intoArray(c, co + 5 * ldc + L);
    c6a.add(FloatVector.fromArray(F, c, co + 6 * ldc)).intoArray(c, co + 6 * ldc);
    c6b.add(FloatVector.fromArray(F, c, co + 6 * ldc + L)).intoArray(c, co + 6 * ldc + L);
    c7a.add(FloatVector.fromArray(F, c, co + 7 * ldc)).intoArray(c, co + 7 * ldc);
    c7b.add(FloatVector.fromArray(F, c, co + 7 * ldc + L)).intoArray(c, co + 7 * ldc + L);
  }

  @Override
  public void addHalfLines(float[] c, int co, int ldc, float[] a, int ao, float[] b, int bo, int ldb, int k) {
    FloatVector zero = FloatVector.zero(F);
    FloatVector c0 = zero;
    FloatVector c1 = zero;
    FloatVector c2 = zero;
    FloatVector c3 = zero;
    FloatVector c4 = zero;
    FloatVector c5 = zero;
    FloatVector c6 = zero;
    FloatVector c7 = zero;
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
      v = FloatVector.broadcast(F, a[ao + 4 * LINE + p]);
      c4 = v.fma(b0, c4);
      v = FloatVector.broadcast(F, a[ao + 5 * LINE + p]);
      c5 = v.fma(b0, c5);
      v = FloatVector.broadcast(F, a[ao + 6 * LINE + p]);
      c6 = v.fma(b0, c6);
      v = FloatVector.broadcast(F, a[ao + 7 * LINE + p]);
      c7 = v.fma(b0, c7);
      right += ldb;
    }
    c0.add(FloatVector.fromArray(F, c, co)).intoArray(c, co);
    c1.add(FloatVector.fromArray(F, c, co + ldc)).intoArray(c, co + ldc);
    c2.add(FloatVector.fromArray(F, c, co + 2 * ldc)).intoArray(c, co + 2 * ldc);
    c3.add(FloatVector.fromArray(F, c, co + 3 * ldc)).intoArray(c, co + 3 * ldc);
    c4.add(FloatVector.fromArray(F, c, co + 4 * ldc)).intoArray(c, co + 4 * ldc);
    c5.add(FloatVector.fromArray(F, c, co + 5 * ldc)).intoArray(c, co + 5 * ldc);
    c6.add(FloatVector.fromArray(F, c, co + 6 * ldc)).intoArray(c, co + 6 * ldc);
    c7.add(FloatVector.fromArray(F, c, co + 7 * ldc)).intoArray(c, co + 7 * ldc);
  }
}
