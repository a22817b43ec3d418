package org.diffusionrpo.diffusion.image;

import java.util.function.DoubleUnaryOperator;

/**
 * Resampling of 8-bit pictures, bit for bit as Pillow's {@code Image.resize}: antialiased when shrinking, integer
 * weights with 22 fraction bits, a horizontal pass rounded to 8 bits, then a vertical one. A pass that keeps the size
 * is skipped.
 */
public final class Resize {
  private static final int PRECISION_BITS = 32 - 8 - 2;
  private static final double CUBIC = -0.5;

  /** Filter kernels; the support is the half width at scale 1. */
  public enum Filter {
    BOX(0.5, x -> x > -0.5 && x <= 0.5 ? 1 : 0),
    BILINEAR(1, x -> Math.max(0, 1 - Math.abs(x))),
    BICUBIC(2, Resize::cubic);

    private final double support;
    private final DoubleUnaryOperator kernel;

    Filter(double support, DoubleUnaryOperator kernel) {
      this.support = support;
      this.kernel = kernel;
    }
  }

  /** For each output position: the first input position, and the weights from there on. */
  private record Taps(int[] first, int[][] weights) {}

  private Resize() {}

  /** Stretches to exactly {@code width x height}. */
  public static RgbImage resize(RgbImage image, int width, int height, Filter filter) {
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException("cannot resize to " + width + " x " + height);
    }
    byte[] rgb = image.rgb();
    if (width != image.width()) {
      rgb = pass(rgb, image.height(), image.width(), 1, taps(image.width(), width, filter));
    }
    if (height != image.height()) {
      rgb = pass(rgb, 1, image.height(), width, taps(image.height(), height, filter));
    }
    return new RgbImage(width, height, rgb);
  }

  /** Scales so that the shorter side becomes {@code size}; the longer one is {@code floor(size * long / short)}. */
  public static RgbImage shortSide(RgbImage image, int size, Filter filter) {
    long width = image.width();
    long height = image.height();
    return width <= height
        ? resize(image, size, (int) (size * height / width), filter)
        : resize(image, (int) (size * width / height), size, filter);
  }

  /** [outer, in, inner, 3] to [outer, out, inner, 3]: inner = 1 walks rows, outer = 1 walks columns. */
  private static byte[] pass(byte[] in, int outer, int size, int inner, Taps taps) {
    int pixels = inner * 3;
    int outSize = taps.first.length;
    byte[] out = new byte[outer * outSize * pixels];
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < outSize; i++) {
        int[] weights = taps.weights[i];
        int from = (o * size + taps.first[i]) * pixels;
        int to = (o * outSize + i) * pixels;
        for (int p = 0; p < pixels; p++) {
          int sum = 1 << (PRECISION_BITS - 1);
          for (int k = 0; k < weights.length; k++) {
            sum += weights[k] * (in[from + k * pixels + p] & 0xff);
          }
          out[to + p] = (byte) Math.min(255, Math.max(0, sum >> PRECISION_BITS));
        }
      }
    }
    return out;
  }

  private static Taps taps(int in, int out, Filter filter) {
    double scale = (double) in / out;
    double filterScale = Math.max(scale, 1);
    double support = filter.support * filterScale;
    int[] first = new int[out];
    int[][] weights = new int[out][];
    for (int i = 0; i < out; i++) {
      double center = (i + 0.5) * scale;
      first[i] = Math.max(0, (int) (center - support + 0.5));
      int end = Math.min(in, (int) (center + support + 0.5));
      weights[i] = fixedPoint(filter.kernel, first[i], end, center, filterScale);
    }
    return new Taps(first, weights);
  }

  private static int[] fixedPoint(DoubleUnaryOperator kernel, int from, int to, double center, double filterScale) {
    double[] exact = new double[to - from];
    double sum = 0;
    double inverse = 1 / filterScale;
    for (int k = 0; k < exact.length; k++) {
      exact[k] = kernel.applyAsDouble((k + from - center + 0.5) * inverse);
      sum += exact[k];
    }
    int[] weights = new int[exact.length];
    for (int k = 0; k < exact.length; k++) {
      double scaled = exact[k] / sum * (1 << PRECISION_BITS);
      weights[k] = (int) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
    return weights;
  }

  /** Keys 1981 with a = -0.5, in the nested form that Pillow rounds. */
  private static double cubic(double signed) {
    double x = Math.abs(signed);
    if (x < 1) {
      return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * CUBIC : 0;
  }
}
