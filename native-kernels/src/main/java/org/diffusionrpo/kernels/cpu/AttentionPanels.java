package org.diffusionrpo.kernels.cpu;

/**
 * One of q, k, v or their gradients, [samples, tokens, heads * headDim], packed once into the panels that
 * {@link GemmTile} reads as its left matrix; each panel is zero-padded to the rows of the tile (MR). Two orders:
 * <pre>
 *   byToken     [samples * heads][tokens / MR][headDim][MR]     for products that sum over headDim
 *   byFeature   [samples * heads][headDim / MR][tokens][MR]     for products that sum over tokens
 * </pre>
 */
final class AttentionPanels {
  private static final int MR = Simd.GEMM.rows();

  final float[] data;
  private final int headSize;
  private final int panelSize;

  private AttentionPanels(int matrices, int panels, int depth) {
    this.panelSize = depth * MR;
    this.headSize = Math.multiplyExact(panels, panelSize);
    this.data = new float[Math.multiplyExact(matrices, headSize)];
  }

  /** The panel that starts at token {@code token}, a multiple of MR. */
  int atToken(int head, int token) {
    return head * headSize + token / MR * panelSize;
  }

  /** Panel number {@code panel} of the features, from token {@code token} on. */
  int atFeature(int head, int panel, int token) {
    return head * headSize + panel * panelSize + token * MR;
  }

  static AttentionPanels byToken(float[] x, float scale, int samples, int tokens, int heads, int headDim) {
    AttentionPanels panels = new AttentionPanels(samples * heads, ceilDiv(tokens), headDim);
    Parallel.run(samples * heads, head -> {
      int from = head / heads * tokens * heads * headDim + head % heads * headDim;
      for (int t = 0; t < tokens; t++) {
        int source = from + t * heads * headDim;
        int target = panels.atToken(head, t) + t % MR;
        for (int d = 0; d < headDim; d++) {
          panels.data[target + d * MR] = x[source + d] * scale;
        }
      }
    });
    return panels;
  }

  static AttentionPanels byFeature(float[] x, float scale, int samples, int tokens, int heads, int headDim) {
    AttentionPanels panels = new AttentionPanels(samples * heads, ceilDiv(headDim), tokens);
    Parallel.run(samples * heads, head -> {
      int from = head / heads * tokens * heads * headDim + head % heads * headDim;
      for (int t = 0; t < tokens; t++) {
        int source = from + t * heads * headDim;
        for (int d = 0; d < headDim; d += MR) {
          int target = panels.atFeature(head, d / MR, t);
          int width = Math.min(MR, headDim - d);
          for (int i = 0; i < width; i++) {
            panels.data[target + i] = x[source + d + i] * scale;
          }
        }
      }
    });
    return panels;
  }

  static int ceilDiv(int n) {
    return (n + MR - 1) / MR;
  }
}
