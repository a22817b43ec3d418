package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Register tile of 6 rows by two vectors: 12 sums, which with two vectors of B and one broadcast element of A fill 15 of
 * the 16 vector registers of AVX2 (6 x 16) and SSE (6 x 8).
 *
 * <p>Spelled out for the reason given in {@link VectorGemmTile12}.
 */
final class VectorGemmTile6 extends VectorPacking {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final int ROWS = 6;

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int columns() {
    return 2 * L;
  }

  @Override
  public void multiply(float[] c, int cOffset, int ldc, float[] init, int initOffset, int ldInit, float[] a,
      int aOffset, float[] b, int bOffset, int k) {
    FloatVector c0a = FloatVector.zero(F), c0b = FloatVector.zero(F);
    FloatVector c1a = FloatVector.zero(F), c1b = FloatVector.zero(F);
    FloatVector c2a = FloatVector.zero(F), c2b = FloatVector.zero(F);
    FloatVector c3a = FloatVector.zero(F), c3b = FloatVector.zero(F);
    FloatVector c4a = FloatVector.zero(F), c4b = FloatVector.zero(F);
    FloatVector c5a = FloatVector.zero(F), c5b = FloatVector.zero(F);
    int ao = aOffset;
    int bo = bOffset;
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(F, b, bo);
      FloatVector b1 = FloatVector.fromArray(F, b, bo + L);
      FloatVector v;
      v = FloatVector.broadcast(F, a[ao]);
      c0a = v.fma(b0, c0a);
      c0b = v.fma(b1, c0b);
      v = FloatVector.broadcast(F, a[ao + 1]);
      c1a = v.fma(b0, c1a);
      c1b = v.fma(b1, c1b);
      v = FloatVector.broadcast(F, a[ao + 2]);
      c2a = v.fma(b0, c2a);
      c2b = v.fma(b1, c2b);
      v = FloatVector.broadcast(F, a[ao + 3]);
      c3a = v.fma(b0, c3a);
      c3b = v.fma(b1, c3b);
      v = FloatVector.broadcast(F, a[ao + 4]);
      c4a = v.fma(b0, c4a);
      c4b = v.fma(b1, c4b);
      v = FloatVector.broadcast(F, a[ao + 5]);
      c5a = v.fma(b0, c5a);
      c5b = v.fma(b1, c5b);
      ao += ROWS;
      bo += 2 * L;
    }
    store(c, cOffset, init, initOffset, c0a, c0b);
    store(c, cOffset + ldc, init, initOffset + ldInit, c1a, c1b);
    store(c, cOffset + 2 * ldc, init, initOffset + 2 * ldInit, c2a, c2b);
    store(c, cOffset + 3 * ldc, init, initOffset + 3 * ldInit, c3a, c3b);
    store(c, cOffset + 4 * ldc, init, initOffset + 4 * ldInit, c4a, c4b);
    store(c, cOffset + 5 * ldc, init, initOffset + 5 * ldInit, c5a, c5b);
  }

  @Override
  public void multiplyLines(float[] c, int cOffset, int ldc, float[] init, int initOffset, int ldInit, float[] a,
      int aOffset, float[] b, int bOffset, int k) {
    FloatVector c0a = FloatVector.zero(F), c0b = FloatVector.zero(F);
    FloatVector c1a = FloatVector.zero(F), c1b = FloatVector.zero(F);
    FloatVector c2a = FloatVector.zero(F), c2b = FloatVector.zero(F);
    FloatVector c3a = FloatVector.zero(F), c3b = FloatVector.zero(F);
    FloatVector c4a = FloatVector.zero(F), c4b = FloatVector.zero(F);
    FloatVector c5a = FloatVector.zero(F), c5b = FloatVector.zero(F);
    int ao = aOffset;
    int bo = bOffset;
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(F, b, bo);
      FloatVector b1 = FloatVector.fromArray(F, b, bo + L);
      FloatVector v;
      v = FloatVector.broadcast(F, a[ao]);
      c0a = v.fma(b0, c0a);
      c0b = v.fma(b1, c0b);
      v = FloatVector.broadcast(F, a[ao + LINE]);
      c1a = v.fma(b0, c1a);
      c1b = v.fma(b1, c1b);
      v = FloatVector.broadcast(F, a[ao + 2 * LINE]);
      c2a = v.fma(b0, c2a);
      c2b = v.fma(b1, c2b);
      v = FloatVector.broadcast(F, a[ao + 3 * LINE]);
      c3a = v.fma(b0, c3a);
      c3b = v.fma(b1, c3b);
      v = FloatVector.broadcast(F, a[ao + 4 * LINE]);
      c4a = v.fma(b0, c4a);
      c4b = v.fma(b1, c4b);
      v = FloatVector.broadcast(F, a[ao + 5 * LINE]);
      c5a = v.fma(b0, c5a);
      c5b = v.fma(b1, c5b);
      ao++;
      bo += 2 * L;
    }
    store(c, cOffset, init, initOffset, c0a, c0b);
    store(c, cOffset + ldc, init, initOffset + ldInit, c1a, c1b);
    store(c, cOffset + 2 * ldc, init, initOffset + 2 * ldInit, c2a, c2b);
    store(c, cOffset + 3 * ldc, init, initOffset + 3 * ldInit, c3a, c3b);
    store(c, cOffset + 4 * ldc, init, initOffset + 4 * ldInit, c4a, c4b);
    store(c, cOffset + 5 * ldc, init, initOffset + 5 * ldInit, c5a, c5b);
  }

  private static void store(float[] c, int to, float[] init, int from, FloatVector left, FloatVector right) {
    left.add(FloatVector.fromArray(F, init, from)).intoArray(c, to);
    right.add(FloatVector.fromArray(F, init, from + L)).intoArray(c, to + L);
  }
}
