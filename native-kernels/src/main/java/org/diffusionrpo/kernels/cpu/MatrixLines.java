package org.diffusionrpo.kernels.cpu;

/** Element (i, p) = data[offset + i * ld + p]. */
record MatrixLines(Weights data, int offset, int ld) implements LineSource {
  @Override
  public void packLines(float[] lines, int at, int first, int count, int k0, int kc) {
    for (int i = 0; i < count; i++) {
      data.read(offset + (first + i) * ld + k0, lines, at + i * GemmTile.LINE, kc);
    }
  }
}
