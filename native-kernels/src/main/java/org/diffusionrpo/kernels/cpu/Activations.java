package org.diffusionrpo.kernels.cpu;

/**
 * Activation functions. Relative error below 1e-6 (quick GELU: plus 2e-7 |x|) down to results of 1e-35, which turn into
 * 0; large arguments of either sign give the limit, never NaN. An output may be one of the inputs.
 */
public final class Activations {
  /** The slope of quick GELU, as CLIP has it: Hendrycks and Gimpel 2016, arXiv:1606.08415, section 2. */
  private static final float QUICK_GELU_SLOPE = 1.702f;
  /** Elements between the two steps of GELU's gradient, few enough for the first-level cache. */
  private static final int BLOCK = 1024;
  private static final ActivationMath MATH = Simd.ACTIVATION;

  private Activations() {}

  /** SiLU: {@code y = x * sigmoid(x)}. */
  public static void siluForward(float[] y, float[] x, int n) {
    swishForward(y, x, 1, n);
  }

  /** {@code dx = dy * silu'(x)}. */
  public static void siluBackward(float[] dx, float[] dy, float[] x, int n) {
    swishBackward(dx, dy, x, 1, n);
  }

  /** Quick GELU: {@code y = x * sigmoid(1.702 x)}. */
  public static void quickGeluForward(float[] y, float[] x, int n) {
    swishForward(y, x, QUICK_GELU_SLOPE, n);
  }

  /** {@code dx = dy * quickGelu'(x)}. */
  public static void quickGeluBackward(float[] dx, float[] dy, float[] x, int n) {
    swishBackward(dx, dy, x, QUICK_GELU_SLOPE, n);
  }

  /** GELU by the normal distribution itself: {@code y = x * Phi(x) = x * (1 + erf(x / sqrt(2))) / 2}. */
  public static void geluForward(float[] y, float[] x, int n) {
    Parallel.ranges(n, Parallel.GRAIN, (from, to) -> MATH.gelu(y, from, x, from, to - from));
  }

  /** {@code dx = dy * (Phi(x) + x * phi(x))}. */
  public static void geluBackward(float[] dx, float[] dy, float[] x, int n) {
    Parallel.ranges(n, Parallel.GRAIN, (from, to) -> {
      float[] normal = new float[Math.min(BLOCK, to - from)];
      float[] density = new float[normal.length];
      for (int i = from; i < to; i += BLOCK) {
        int count = Math.min(BLOCK, to - i);
        MATH.normal(normal, density, 0, x, i, count);
        MATH.geluBackward(dx, i, dy, i, x, i, normal, density, 0, count);
      }
    });
  }

  /**
   * GEGLU, Shazeer 2020, arXiv:2002.05202.
   * <pre>
   *   x [rows, 2 * columns] = [a, gate]     y [rows, columns] = a * gelu(gate)
   * </pre>
   */
  public static void gegluForward(float[] y, float[] x, int rows, int columns) {
    Parallel.ranges(rows, Elementwise.rowsPerTask(columns), (from, to) -> {
      for (int r = from; r < to; r++) {
        int a = r * 2 * columns;
        MATH.gatedGelu(y, r * columns, x, a, x, a + columns, columns);
      }
    });
  }

  /** dx [rows, 2 * columns] from dy [rows, columns]. */
  public static void gegluBackward(float[] dx, float[] dy, float[] x, int rows, int columns) {
    Parallel.ranges(rows, Elementwise.rowsPerTask(columns), (from, to) -> {
      float[] normal = new float[columns];
      float[] density = new float[columns];
      for (int r = from; r < to; r++) {
        int a = r * 2 * columns;
        int gate = a + columns;
        MATH.normal(normal, density, 0, x, gate, columns);
        MATH.gatedGeluBackward(dx, a, dx, gate, dy, r * columns, x, a, x, gate, normal, density, 0, columns);
      }
    });
  }

  private static void swishForward(float[] y, float[] x, float slope, int n) {
    Parallel.ranges(n, Parallel.GRAIN, (from, to) -> MATH.swish(y, from, x, from, slope, to - from));
  }

  private static void swishBackward(float[] dx, float[] dy, float[] x, float slope, int n) {
    Parallel.ranges(n, Parallel.GRAIN,
        (from, to) -> MATH.swishBackward(dx, from, dy, from, x, from, slope, to - from));
  }
}
