package org.diffusionrpo.tensor;

/** Between PyTorch's channel-first arrays and ours. */
public final class Layout {
  private Layout() {}

  /** [N, C, H, W] to [N, H, W, C]; also [O, I, Kh, Kw] to [O, Kh, Kw, I]. */
  public static float[] toNhwc(float[] nchw, int n, int c, int h, int w) {
    float[] nhwc = new float[nchw.length];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < c; k++) {
        for (int p = 0; p < h * w; p++) {
          nhwc[(i * h * w + p) * c + k] = nchw[(i * c + k) * h * w + p];
        }
      }
    }
    return nhwc;
  }

  /** The reverse of {@link #toNhwc}, for a tensor of shape [N, H, W, C]. */
  public static float[] toNchw(Tensor x) {
    int n = x.dim(0);
    int pixels = x.dim(1) * x.dim(2);
    int c = x.dim(3);
    float[] nhwc = x.toArray();
    float[] nchw = new float[nhwc.length];
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < c; k++) {
        for (int p = 0; p < pixels; p++) {
          nchw[(i * c + k) * pixels + p] = nhwc[(i * pixels + p) * c + k];
        }
      }
    }
    return nchw;
  }
}
