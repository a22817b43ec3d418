package org.diffusionrpo.tensor;

/**
 * The numbers that stand in for weights and inputs wherever results are compared with the reference networks: a hash
 * of the position, uniform in [-1, 1), the same on every machine and in every language.
 */
public final class GoldenFill {
  private GoldenFill() {}

  /** r(g): the g-th number. */
  public static float at(int g) {
    int h = (g + 1) * 0x9E3779B1;
    h ^= h >>> 15;
    h *= 0x85EBCA77;
    h ^= h >>> 13;
    return (float) (2.0 * (h >>> 8) / (1 << 24) - 1);
  }

  /** r(start), r(start + 1), ... */
  public static float[] sequence(int start, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = at(start + i);
    }
    return values;
  }

  /**
   * Weights of one tensor whose first element is number {@code g}: rank 2 and more scaled to unit gain, norm weights
   * around 1, other vectors small.
   *
   * @param shape in the layout of files
   */
  public static float[] weights(String name, int[] shape, int g) {
    int size = 1;
    for (int dim : shape) {
      size *= dim;
    }
    double scale = shape.length >= 2 ? Math.sqrt(3.0 / (size / shape[0])) : 0.1;
    double offset = shape.length < 2 && name.endsWith(".weight") ? 1 : 0;
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) (offset + scale * at(g + i));
    }
    return values;
  }
}
