package org.diffusionrpo.kernels.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * What the vector tiles share: their choice, and the moves that fill panels.
 *
 * <p>Only vectors of the preferred width appear: on JDK 17 one method that mixes widths makes the JIT give up on
 * inlining loads and stores of either, everywhere in the JVM.
 */
abstract class VectorPacking implements GemmTile {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int L = F.length();

  static GemmTile forPreferredWidth() {
    return manyRegisters() ? new VectorGemmTile12() : new VectorGemmTile6();
  }

  /** AVX-512 and NEON have 32 vector registers, older x86 has 16. */
  static boolean manyRegisters() {
    return L >= 16 || System.getProperty("os.arch").equals("aarch64");
  }

  /** A rest of whole rows is copied first and with full vectors: what they spill into the next row is overwritten. */
  @Override
  public final void copyRows(float[] to, int at, int width, float[] from, int start, int ld, int length, int count) {
    int whole = length - length % L;
    if (whole < length) {
      int fits = Math.min(vectorsInside(to, at + whole, width), vectorsInside(from, start + whole, ld));
      int spilling = length == width ? Math.min(fits, count - 1) : 0;
      copyStrip(to, at + whole, width, from, start + whole, ld, spilling);
      for (int p = Math.max(0, spilling); p < count; p++) {
        for (int i = whole; i < length; i++) {
          to[at + p * width + i] = from[start + p * ld + i];
        }
      }
    }
    for (int i = 0; i < whole; i += L) {
      copyStrip(to, at + i, width, from, start + i, ld, count);
    }
  }

  /** How many vectors, {@code step} apart from {@code start} on, end inside the array. */
  private static int vectorsInside(float[] array, int start, int step) {
    return start > array.length - L ? 0 : (array.length - L - start) / step + 1;
  }

  private static void copyStrip(float[] to, int at, int width, float[] from, int start, int ld, int count) {
    for (int p = 0; p < count; p++) {
      FloatVector.fromArray(F, from, start + p * ld).intoArray(to, at + p * width);
    }
  }

  @Override
  public final void transposeLines(float[] to, int at, float[] from, int start, int width, int count) {
    ScalarGemmTile.transpose(to, at, from, start, width, count);
  }
}
