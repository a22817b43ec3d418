package org.diffusionrpo.bench.gemm;

import java.util.List;

/** C [m, n] = A [m, k] x B [k, n]; written {@code 4096x320x2880}. */
record GemmShape(int m, int n, int k) {
  /**
   * Products of one SD 1.5 UNet step at 64 x 64 latents: linear layers at three resolutions, and 3x3 convolutions as
   * products, down to the 8 x 8 bottom with its 64 rows.
   */
  static final List<GemmShape> STABLE_DIFFUSION = List.of(new GemmShape(4096, 320, 320),
      new GemmShape(4096, 320, 2880), new GemmShape(1024, 1280, 11520), new GemmShape(1024, 640, 640),
      new GemmShape(256, 1280, 1280), new GemmShape(64, 1280, 11520));

  static GemmShape parse(String text) {
    if (!text.matches("[1-9]\\d{0,8}x[1-9]\\d{0,8}x[1-9]\\d{0,8}")) {
      throw new IllegalArgumentException("shape " + text + ": expected MxNxK, for example 4096x320x2880");
    }
    String[] sizes = text.split("x");
    return new GemmShape(Integer.parseInt(sizes[0]), Integer.parseInt(sizes[1]), Integer.parseInt(sizes[2]));
  }

  /** A multiplication and an addition for each term. */
  double operations() {
    return 2.0 * m * n * k;
  }

  @Override
  public String toString() {
    return m + "x" + n + "x" + k;
  }
}
