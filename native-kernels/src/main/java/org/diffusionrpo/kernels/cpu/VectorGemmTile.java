package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Register tile of 12 rows by two vectors: 24 accumulators, which fill the 32 registers of AVX-512. */
final class VectorGemmTile implements GemmTile {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();

  static GemmTile forPreferredWidth() {
    return new VectorGemmTile();
  }

  @Override
  public int rows() {
    return 12;
  }

  @Override
  public int columns() {
    return 2 * L;
  }

  @Override
  public void multiply(float[] c, int cOffset, int ldc, float[] a, int aOffset, float[] b, int bOffset, int k,
      boolean accumulate) {
    FloatVector c0a = FloatVector.zero(F), c0b = FloatVector.zero(F);
    FloatVector c1a = FloatVector.zero(F), c1b = FloatVector.zero(F);
    FloatVector c2a = FloatVector.zero(F), c2b = FloatVector.zero(F);
    FloatVector c3a = FloatVector.zero(F), c3b = FloatVector.zero(F);
    FloatVector c4a = FloatVector.zero(F), c4b = FloatVector.zero(F);
    FloatVector c5a = FloatVector.zero(F), c5b = FloatVector.zero(F);
    FloatVector c6a = FloatVector.zero(F), c6b = FloatVector.zero(F);
    FloatVector c7a = FloatVector.zero(F), c7b = FloatVector.zero(F);
    FloatVector c8a = FloatVector.zero(F), c8b = FloatVector.zero(F);
    FloatVector c9a = FloatVector.zero(F), c9b = FloatVector.zero(F);
    FloatVector c10a = FloatVector.zero(F), c10b = FloatVector.zero(F);
    FloatVector c11a = FloatVector.zero(F), c11b = FloatVector.zero(F);
    int ao = aOffset;
    int bo = bOffset;
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(F, b, bo);
      FloatVector b1 = FloatVector.fromArray(F, b, bo + L);
      FloatVector v;
      v = FloatVector.broadcast(F, a[ao + 0]);
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
      ao += 12;
      bo += 2 * L;
    }
    store(c, cOffset + 0 * ldc, c0a, c0b, accumulate);
    store(c, cOffset + 1 * ldc, c1a, c1b, accumulate);
    store(c, cOffset + 2 * ldc, c2a, c2b, accumulate);
    store(c, cOffset + 3 * ldc, c3a, c3b, accumulate);
    store(c, cOffset + 4 * ldc, c4a, c4b, accumulate);
    store(c, cOffset + 5 * ldc, c5a, c5b, accumulate);
    store(c, cOffset + 6 * ldc, c6a, c6b, accumulate);
    store(c, cOffset + 7 * ldc, c7a, c7b, accumulate);
    store(c, cOffset + 8 * ldc, c8a, c8b, accumulate);
    store(c, cOffset + 9 * ldc, c9a, c9b, accumulate);
    store(c, cOffset + 10 * ldc, c10a, c10b, accumulate);
    store(c, cOffset + 11 * ldc, c11a, c11b, accumulate);
  }

  private static void store(float[] c, int at, FloatVector left, FloatVector right, boolean accumulate) {
    if (accumulate) {
      left.add(FloatVector.fromArray(F, c, at)).intoArray(c, at);
      right.add(FloatVector.fromArray(F, c, at + L)).intoArray(c, at + L);
    } else {
      left.intoArray(c, at);
      right.intoArray(c, at + L);
    }
  }
}
