package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/** Element (i, p) = data[offset + p * ld + i]: i is contiguous, so each p is one short copy. */
record ContiguousPanels(Weights data, int offset, int ld) implements PanelSource {
  @Override
  public void pack(GemmTile tile, float[] panel, int at, int width, int first, int count, int k0, int kc) {
    float[] floats = data.floatsOrNull();
    int from = offset + k0 * ld + first;
    if (floats != null && count == width) {
      tile.copyRows(panel, at, width, floats, from, ld, width, kc);
      return;
    }
    int to = at;
    for (int p = 0; p < kc; p++, from += ld, to += width) {
      data.read(from, panel, to, count);
      Arrays.fill(panel, to + count, to + width, 0);
    }
  }
}
