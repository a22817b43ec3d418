package org.diffusionrpo.kernels.cpu;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses, once per JVM, between the two implementations of the inner loops: the Vector API when its module is
 * present, plain Java otherwise. Blocking, packing and threading are shared and never mention the incubator module.
 *
 * <p>Results are bit-equal on every repetition and for every number of threads, but may differ in the last bits
 * between vector widths, because the width fixes the order of lane sums.
 */
public final class Simd {
  private static final Logger LOG = LoggerFactory.getLogger(Simd.class);

  /** {@code -Ddrpo.simd=scalar} forces the plain path; the default {@code auto} takes vectors where they exist. */
  private static final boolean VECTOR = choose(System.getProperty("drpo.simd", "auto"));

  // The vector classes are named only behind this condition: they cannot even be loaded without the module.
  static final GemmTile GEMM = VECTOR ? VectorPacking.forPreferredWidth() : new ScalarGemmTile();
  static final ArrayMath MATH = VECTOR ? new VectorArrayMath() : new ScalarArrayMath();
  static final ActivationMath ACTIVATION = VECTOR ? new VectorActivationMath() : new ScalarActivationMath();
  static final NormMath NORM = VECTOR ? new VectorNormMath() : new ScalarNormMath();
  static final AttentionTile ATTENTION_TILE =
      VECTOR ? VectorAttentionTile8.forPreferredWidth() : new ScalarAttentionTile();
  static final AttentionMath ATTENTION = VECTOR ? new VectorAttentionMath() : new ScalarAttentionMath();
  static final WinogradMath WINOGRAD = VECTOR ? new VectorWinogradMath() : new ScalarWinogradMath();
  static final OptimizerMath OPTIMIZER = VECTOR ? new VectorOptimizerMath() : new ScalarOptimizerMath();

  private Simd() {}

  /** True when kernels run on the Vector API. */
  public static boolean isVectorized() {
    return VECTOR;
  }

  /** For {@code doctor} and logs, for example {@code "vector, 16 float lanes, GEMM tile 12 x 32"}. */
  public static String description() {
    return (VECTOR ? "vector, " + MATH.lanes() + " float lanes" : "scalar")
        + ", GEMM tile " + GEMM.rows() + " x " + GEMM.columns();
  }

  private static boolean choose(String wish) {
    boolean present = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    switch (wish) {
      case "auto":
        if (!present) {
          LOG.warn("The Vector API is off, so CPU kernels run 10 to 30 times slower. "
              + "Start java with --add-modules jdk.incubator.vector");
        }
        return present;
      case "scalar":
        return false;
      default:
        throw new IllegalArgumentException("-Ddrpo.simd=" + wish + ": expected auto or scalar");
    }
  }
}
