package org.diffusionrpo.kernels.cpu;

/**
 * One operand of a matrix product as the macro-kernel sees it: element (i, p), where i counts rows of A or columns of
 * B and p runs along the inner dimension. A matrix, an image seen through a convolution window and a half-precision
 * weight differ only in how they fill a panel.
 */
interface PanelSource {
  /**
   * Fills a panel of the tile: {@code panel[at + p * width + i] = element(first + i, k0 + p)} for i in [0, count) and
   * p in [0, kc), and zero for i in [count, width). kc is at most {@link GemmTile#KC}.
   */
  void pack(GemmTile tile, float[] panel, int at, int width, int first, int count, int k0, int kc);
}
