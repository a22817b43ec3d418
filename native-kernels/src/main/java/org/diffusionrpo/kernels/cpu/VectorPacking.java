package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** What the vector tiles share: their choice, and the moves that fill panels. */
abstract class VectorPacking implements GemmTile {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();

  /** AVX-512 and NEON have 32 vector registers, older x86 has 16. */
  static GemmTile forPreferredWidth() {
    boolean manyRegisters = L >= 16 || System.getProperty("os.arch").equals("aarch64");
    return manyRegisters ? new VectorGemmTile12() : new VectorGemmTile6();
  }

  @Override
  public final void copyRows(float[] to, int at, float[] from, int start, int ld, int width, int count) {
    for (int p = 0; p < count; p++) {
      int target = at + p * width;
      int source = start + p * ld;
      int i = 0;
      for (; i <= width - L; i += L) {
        FloatVector.fromArray(F, from, source + i).intoArray(to, target + i);
      }
      for (; i < width; i++) {
        to[target + i] = from[source + i];
      }
    }
  }

  @Override
  public final void transposeLines(float[] to, int at, float[] from, int start, int width, int count) {
    ScalarGemmTile.transpose(to, at, from, start, width, count);
  }
}
