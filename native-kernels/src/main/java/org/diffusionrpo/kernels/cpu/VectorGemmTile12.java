package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Register tile of 12 rows by two vectors: 24 sums, which with two vectors of B and one broadcast element of A fill the
 * 32 vector registers of AVX-512 (12 x 32) and NEON (12 x 8).
 *
 * <p>Spelled out, without a helper, because the JIT keeps vectors in registers only where it inlines everything: this
 * method is so large that a call of our own would stay a call, and its vectors would become objects on the heap.
 */
final class VectorGemmTile12 extends VectorPacking {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();
  private static final int ROWS = 12;

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
    FloatVector c6a = zero, c6b = zero;
    FloatVector c7a = zero, c7b = zero;
    FloatVector c8a = zero, c8b = zero;
    FloatVector c9a = zero, c9b = zero;
    FloatVector c10a = zero, c10b = zero;
    FloatVector c11a = zero, c11b = zero;
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
      v = FloatVector.broadcast(F, a[ao + 6]);
      c6a = v.fma(b0, c6a);
      c6b = v.fma(b1, c6b);
      v = FloatVector.broadcast(F, a[ao + 7]);
      c7a = v.fma(b0, c7a);
      c7b = v.fma(b1, c7b);
      v = FloatVector.broadcast(F, a[ao + 8]);
      c8a = v.fma(b0, c8a);
      c8b = v.fma(b1, c8b);
      v = FloatVector.broadcast(F, a[ao + 9]);
      c9a = v.fma(b0, c9a);
      c9b = v.fma(b1, c9b);
      v = FloatVector.broadcast(F, a[ao + 10]);
      c10a = v.fma(b0, c10a);
      c10b = v.fma(b1, c10b);
      v = FloatVector.broadcast(F, a[ao + 11]);
      c11a = v.fma(b0, c11a);
      c11b = v.fma(b1, c11b);
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
    c6a.add(FloatVector.fromArray(F, init, initOffset + 6 * ldInit)).intoArray(c, cOffset + 6 * ldc);
    c6b.add(FloatVector.fromArray(F, init, initOffset + 6 * ldInit + L)).intoArray(c, cOffset + 6 * ldc + L);
    c7a.add(FloatVector.fromArray(F, init, initOffset + 7 * ldInit)).intoArray(c, cOffset + 7 * ldc);
    c7b.add(FloatVector.fromArray(F, init, initOffset + 7 * ldInit + L)).intoArray(c, cOffset + 7 * ldc + L);
    c8a.add(FloatVector.fromArray(F, init, initOffset + 8 * ldInit)).intoArray(c, cOffset + 8 * ldc);
    c8b.add(FloatVector.fromArray(F, init, initOffset + 8 * ldInit + L)).intoArray(c, cOffset + 8 * ldc + L);
    c9a.add(FloatVector.fromArray(F, init, initOffset + 9 * ldInit)).intoArray(c, cOffset + 9 * ldc);
    c9b.add(FloatVector.fromArray(F, init, initOffset + 9 * ldInit + L)).intoArray(c, cOffset + 9 * ldc + L);
    c10a.add(FloatVector.fromArray(F, init, initOffset + 10 * ldInit)).intoArray(c, cOffset + 10 * ldc);
    c10b.add(FloatVector.fromArray(F, init, initOffset + 10 * ldInit + L)).intoArray(c, cOffset + 10 * ldc + L);
    c11a.add(FloatVector.fromArray(F, init, initOffset + 11 * ldInit)).intoArray(c, cOffset + 11 * ldc);
    c11b.add(FloatVector.fromArray(F, init, initOffset + 11 * ldInit + L)).intoArray(c, cOffset + 11 * ldc + L);
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
    FloatVector c6a = zero, c6b = zero;
    FloatVector c7a = zero, c7b = zero;
    FloatVector c8a = zero, c8b = zero;
    FloatVector c9a = zero, c9b = zero;
    FloatVector c10a = zero, c10b = zero;
    FloatVector c11a = zero, c11b = zero;
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
      v = FloatVector.broadcast(F, a[ao + 6 * LINE]);
      c6a = v.fma(b0, c6a);
      c6b = v.fma(b1, c6b);
      v = FloatVector.broadcast(F, a[ao + 7 * LINE]);
      c7a = v.fma(b0, c7a);
      c7b = v.fma(b1, c7b);
      v = FloatVector.broadcast(F, a[ao + 8 * LINE]);
      c8a = v.fma(b0, c8a);
      c8b = v.fma(b1, c8b);
      v = FloatVector.broadcast(F, a[ao + 9 * LINE]);
      c9a = v.fma(b0, c9a);
      c9b = v.fma(b1, c9b);
      v = FloatVector.broadcast(F, a[ao + 10 * LINE]);
      c10a = v.fma(b0, c10a);
      c10b = v.fma(b1, c10b);
      v = FloatVector.broadcast(F, a[ao + 11 * LINE]);
      c11a = v.fma(b0, c11a);
      c11b = v.fma(b1, c11b);
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
    c6a.add(FloatVector.fromArray(F, init, initOffset + 6 * ldInit)).intoArray(c, cOffset + 6 * ldc);
    c6b.add(FloatVector.fromArray(F, init, initOffset + 6 * ldInit + L)).intoArray(c, cOffset + 6 * ldc + L);
    c7a.add(FloatVector.fromArray(F, init, initOffset + 7 * ldInit)).intoArray(c, cOffset + 7 * ldc);
    c7b.add(FloatVector.fromArray(F, init, initOffset + 7 * ldInit + L)).intoArray(c, cOffset + 7 * ldc + L);
    c8a.add(FloatVector.fromArray(F, init, initOffset + 8 * ldInit)).intoArray(c, cOffset + 8 * ldc);
    c8b.add(FloatVector.fromArray(F, init, initOffset + 8 * ldInit + L)).intoArray(c, cOffset + 8 * ldc + L);
    c9a.add(FloatVector.fromArray(F, init, initOffset + 9 * ldInit)).intoArray(c, cOffset + 9 * ldc);
    c9b.add(FloatVector.fromArray(F, init, initOffset + 9 * ldInit + L)).intoArray(c, cOffset + 9 * ldc + L);
    c10a.add(FloatVector.fromArray(F, init, initOffset + 10 * ldInit)).intoArray(c, cOffset + 10 * ldc);
    c10b.add(FloatVector.fromArray(F, init, initOffset + 10 * ldInit + L)).intoArray(c, cOffset + 10 * ldc + L);
    c11a.add(FloatVector.fromArray(F, init, initOffset + 11 * ldInit)).intoArray(c, cOffset + 11 * ldc);
    c11b.add(FloatVector.fromArray(F, init, initOffset + 11 * ldInit + L)).intoArray(c, cOffset + 11 * ldc + L);
  }
}
