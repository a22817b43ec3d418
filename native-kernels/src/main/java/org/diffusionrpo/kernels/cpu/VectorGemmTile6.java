package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Register tile of 6 rows by two vectors: 12 sums, which with two vectors of B and one broadcast element of A fill 15
 * of the 16 vector registers of AVX2 (6 x 16) and SSE (6 x 8).
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
    FloatVector zero = FloatVector.zero(F);
    FloatVector c0a = zero, c0b = zero;
    FloatVector c1a = zero, c1b = zero;
    FloatVector c2a = zero, c2b = zero;
    FloatVector c3a = zero, c3b = zero;
    FloatVector c4a = zero, c4b = zero;
    FloatVector c5a = zero, c5b = zero;
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
    c0a.add(FloatVector.fromArray(F, init, initOffset)).intoArray(c, cOffset);
    c0b.add(FloatVector.fromArray(F, init, initOffset + L)).intoArray(c, cOffset + L);
    c1a.add(FloatVector.fromArray(F, init, initOffset + ldInit)).intoArray(c, cOffset + ldc);
    c1b.add(FloatVector.fromArray(F, init, initOffset + ldInit + L)).intoArray(c, cOffset + ldc + L);
    c2a.add(FloatVector.fromArray(F, init, initOffset + 2 * ldInit)).intoArray(c, cOffset + 2 * ldc);
    c2b.add(FloatVector.fromArray(F, init, initOffset + 2 * ldInit + L)).intoArray(c, cOffset + 2 * ldc + L);
    c3a.add(FloatVector.fromArray(F, init, initOffset + 3 * ldInit)).intoArray(c, cOffset + 3 * ldc);
    c3b.add(FloatVector.fromArray(F, init, initOffset + 3 * ldInit + L)).intoArray(c, cOffset + 3 * ldc + L);
    c4a.add(FloatVector.fromArray(F, init, initOffset + 4 * ldInit)).intoArray(c, cOffset + 4 * ldc);
    c4b.add(FloatVector.fromArray(F, init, initOffset + 4 * ldInit + L)).intoArray(c, cOffset + 4 * ldc + L);
    c5a.add(FloatVector.fromArray(F, init, initOffset + 5 * ldInit)).intoArray(c, cOffset + 5 * ldc);
    c5b.add(FloatVector.fromArray(F, init, initOffset + 5 * ldInit + L)).intoArray(c, cOffset + 5 * ldc + L);
  }

  @Override
  public void multiplyLines(float[] c, int cOffset, int ldc, float[] init, int initOffset, int ldInit, float[] a,
      int aOffset, float[] b, int bOffset, int k) {
    FloatVector zero = FloatVector.zero(F);
    FloatVector c0a = zero, c0b = zero;
    FloatVector c1a = zero, c1b = zero;
    FloatVector c2a = zero, c2b = zero;
    FloatVector c3a = zero, c3b = zero;
    FloatVector c4a = zero, c4b = zero;
    FloatVector c5a = zero, c5b = zero;
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
    c0a.add(FloatVector.fromArray(F, init, initOffset)).intoArray(c, cOffset);
    c0b.add(FloatVector.fromArray(F, init, initOffset + L)).intoArray(c, cOffset + L);
    c1a.add(FloatVector.fromArray(F, init, initOffset + ldInit)).intoArray(c, cOffset + ldc);
    c1b.add(FloatVector.fromArray(F, init, initOffset + ldInit + L)).intoArray(c, cOffset + ldc + L);
    c2a.add(FloatVector.fromArray(F, init, initOffset + 2 * ldInit)).intoArray(c, cOffset + 2 * ldc);
    c2b.add(FloatVector.fromArray(F, init, initOffset + 2 * ldInit + L)).intoArray(c, cOffset + 2 * ldc + L);
    c3a.add(FloatVector.fromArray(F, init, initOffset + 3 * ldInit)).intoArray(c, cOffset + 3 * ldc);
    c3b.add(FloatVector.fromArray(F, init, initOffset + 3 * ldInit + L)).intoArray(c, cOffset + 3 * ldc + L);
    c4a.add(FloatVector.fromArray(F, init, initOffset + 4 * ldInit)).intoArray(c, cOffset + 4 * ldc);
    c4b.add(FloatVector.fromArray(F, init, initOffset + 4 * ldInit + L)).intoArray(c, cOffset + 4 * ldc + L);
    c5a.add(FloatVector.fromArray(F, init, initOffset + 5 * ldInit)).intoArray(c, cOffset + 5 * ldc);
    c5b.add(FloatVector.fromArray(F, init, initOffset + 5 * ldInit + L)).intoArray(c, cOffset + 5 * ldc + L);
  }
}
