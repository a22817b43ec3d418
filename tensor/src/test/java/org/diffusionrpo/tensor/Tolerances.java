package org.diffusionrpo.tensor;

/** How far results may be from what they should be, and why. */
public final class Tolerances {
  /**
   * Normalised mean squared error of an operation against doubles, the square of a relative error of 1e-5. Floats give
   * 1e-14, and 5e-12 for norms of values far from zero; quick GELU with 1.7 in place of 1.702 gives 1e-8.
   */
  public static final double NMSE = 1e-10;

  /** ||a - b|| / ||b|| of outputs against libtorch's float64: float rounding through one operation gives about 1e-6. */
  public static final double GOLDEN_OUTPUT = 1e-4;

  /** The same for gradients, whose sums are longer and cancel more. */
  public static final double GOLDEN_GRADIENT = 1e-3;

  /** Root mean square below which a difference is rounding: for gradients that are zero in theory. */
  public static final double GOLDEN_FLOOR = 1e-6;

  private Tolerances() {}

  /** sum (a - b)^2 / sum b^2. NaN, which no tolerance admits, when a holds one. */
  public static double nmse(double[] a, double[] b) {
    double error = squaredDistance(a, b);
    return error == 0 ? 0 : error / squaredDistance(b, new double[b.length]);
  }

  /** ||a - b|| / ||b||, or 0 when the root mean square of a - b is at most {@link #GOLDEN_FLOOR}. */
  public static double goldenError(double[] a, double[] b) {
    return squaredDistance(a, b) <= GOLDEN_FLOOR * GOLDEN_FLOOR * b.length ? 0 : Math.sqrt(nmse(a, b));
  }

  public static double[] widen(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static double squaredDistance(double[] a, double[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(a.length + " values cannot be compared with " + b.length);
    }
    double sum = 0;
    for (int i = 0; i < b.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return sum;
  }
}
