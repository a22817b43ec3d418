package org.diffusionrpo.kernels.cpu;

/**
 * OHWI weights as the right operand of backward-data for one phase of the stride.
 * <pre>
 *   i counts input channels c, p counts (t, u, o): kernel rows firstRow + t * stride, columns firstColumn + u * stride
 *   element = w[o, firstRow + t * stride, firstColumn + u * stride, c]
 * </pre>
 */
record KernelTaps(Weights w, Conv2d.Geometry g, int firstRow, int firstColumn, int tapColumns) implements PanelSource {
  @Override
  public void pack(GemmTile tile, float[] panel, int at, int width, int first, int count, int k0, int kc) {
    int filter = g.filter();
    for (int p = k0; p < k0 + kc; ) {
      int tap = p / g.outChannels();
      int o = p - tap * g.outChannels();
      int length = Math.min(g.outChannels() - o, k0 + kc - p);
      int row = firstRow + tap / tapColumns * g.stride();
      int column = firstColumn + tap % tapColumns * g.stride();
      int from = o * filter + (row * g.kernelWidth() + column) * g.inChannels() + first;
      new ContiguousPanels(w, from, filter).pack(tile, panel, at + (p - k0) * width, width, 0, count, 0, length);
      p += length;
    }
  }
}
