package org.diffusionrpo.rpo.plan;

import org.diffusionrpo.rpo.align.Counts;

/**
 * The most memory that the process of a run ever holds (VmHWM on Linux), when {@code drpo} starts Java. Its flags let the
 * old generation, where all large arrays are born, grow to what is in use and hardly further.
 *
 * @param data arrays of tensors in use and in the pool, scratch of kernels, encoded pairs and pictures
 * @param garbage what the old generation holds of arrays that nobody needs
 * @param young the generation of all that lives shortly
 * @param java what is not in the heap, and small objects of the program
 */
public record ProcessMemory(long data, long garbage, long young, long java) {
  private static final long MIB = 1L << 20;

  /** {@code -Xmn} of {@code drpo}. */
  private static final long YOUNG = 128 * MIB;

  /**
   * After a full collection the heap has a tenth to spare, {@code -XX:MinHeapFreeRatio} of {@code drpo}, so the next comes
   * when garbage is between nothing and a ninth of the data; half of that is counted.
   */
  private static final int GARBAGE = 18;

  /**
   * Compiled code, classes, tables of the collector, threads, libraries and the compiler's own memory: 129 to 140 MiB in
   * runs of 0.6 to 0.8 GiB on two cores with JDK 17. It hardly depends on the run.
   */
  private static final long JAVA = 140 * MIB;

  /** @param heap the most that Java's heap may have: when it is full, the pool gives up what it keeps */
  public static ProcessMemory of(Counts counts, long heap) {
    long data = Math.max(counts.needed(), Math.min(counts.comfortable(), heap - YOUNG));
    return new ProcessMemory(data, data / GARBAGE, YOUNG, JAVA);
  }

  public long total() {
    return data + garbage + young + java;
  }
}
