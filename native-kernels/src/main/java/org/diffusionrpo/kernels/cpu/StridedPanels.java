package org.diffusionrpo.kernels.cpu;

/** Element (i, p) = data[offset + i * ld + p]: p is contiguous, so packing transposes {@code count} lines. */
record StridedPanels(Weights data, int offset, int ld) implements PanelSource {
  @Override
  public void pack(float[] panel, int at, int width, int first, int count, int k0, int kc) {
    float[] floats = data.floatsOrNull();
    int start = offset + first * ld + k0;
    if (floats != null) {
      Transpose.lines(panel, at, width, floats, start, ld, count, kc);
      return;
    }
    float[] lines = Workspace.CONVERTED.floats(count * kc);
    for (int i = 0; i < count; i++) {
      data.read(start + i * ld, lines, i * kc, kc);
    }
    Transpose.lines(panel, at, width, lines, 0, kc, count, kc);
  }
}
