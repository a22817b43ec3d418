package org.diffusionrpo.bench.oracle;

/**
 * Numbers in [-1, 1) by position: {@code r(g)} for g = 0, 1, 2, ... Weights and inputs that follow it need no file.
 * In unsigned 32-bit arithmetic
 * <pre>
 *   h = (g + 1) * 0x9E3779B1;  h ^= h >>> 15;  h *= 0x85EBCA77;  h ^= h >>> 13;  r(g) = 2 * (h >>> 8) / 2^24 - 1
 * </pre>
 * Inputs are r(start), r(start + 1), ... in row-major order. Weights take their names in byte order and count g on from
 * 0 over all of them: {@code r * sqrt(3 / (product of all axes but the first))} for two and more axes, else
 * {@code 1 + 0.1 r} if the name ends in {@code .weight} and {@code 0.1 r} if not; rounded to float.
 */
final class FillRule {
  private FillRule() {}

  static double r(int g) {
    int h = (g + 1) * 0x9E3779B1;
    h ^= h >>> 15;
    h *= 0x85EBCA77;
    h ^= h >>> 13;
    return 2.0 * (h >>> 8) / (1 << 24) - 1;
  }

  /** {@code length} values of an input that starts at {@code start}. */
  static float[] input(int start, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) r(start + i);
    }
    return values;
  }

  /** The values of the weight that the counter reaches at {@code start}. */
  static float[] weight(String name, long[] shape, int start) {
    int length = Tensors.elements(shape);
    double bound = Math.sqrt(3.0 * shape[0] / length);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      double r = r(start + i);
      values[i] = (float) (shape.length > 1 ? r * bound : name.endsWith(".weight") ? 1 + 0.1 * r : 0.1 * r);
    }
    return values;
  }
}
