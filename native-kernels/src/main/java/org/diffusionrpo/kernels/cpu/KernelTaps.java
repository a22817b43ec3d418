package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

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
    int filter = g.kernelHeight() * g.kernelWidth() * g.inChannels();
    int to = at;
    for (int p = k0; p < k0 + kc; p++, to += width) {
      int tap = p / g.outChannels();
      int o = p - tap * g.outChannels();
      int row = firstRow + tap / tapColumns * g.stride();
      int column = firstColumn + tap % tapColumns * g.stride();
      w.read(o * filter + (row * g.kernelWidth() + column) * g.inChannels() + first, panel, to, count);
      Arrays.fill(panel, to + count, to + width, 0);
    }
  }
}
