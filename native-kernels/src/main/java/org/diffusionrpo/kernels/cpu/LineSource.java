package org.diffusionrpo.kernels.cpu;

import java.util.Arrays;

/** An operand whose elements (i, p) are contiguous along p, so that a line is a copy and a panel a transposition. */
interface LineSource extends PanelSource {
  /** {@code lines[at + i * LINE + p] = element(first + i, k0 + p)} for i in [0, count) and p in [0, kc). */
  void packLines(float[] lines, int at, int first, int count, int k0, int kc);

  /** Copies the lines next to each other before it transposes them: far apart they would fight for cache sets. */
  @Override
  default void pack(GemmTile tile, float[] panel, int at, int width, int first, int count, int k0, int kc) {
    float[] lines = Workspace.LINES.floats(width * GemmTile.LINE);
    packLines(lines, 0, first, count, k0, kc);
    Arrays.fill(lines, count * GemmTile.LINE, width * GemmTile.LINE, 0);
    tile.transposeLines(panel, at, lines, 0, width, kc);
  }
}
