package org.diffusionrpo.kernels.cpu;

/** Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2, with the decay scaled by the learning rate. */
public final class AdamW {
  private AdamW() {}

  /**
   * One step on the first n weights. The moments m and v start as zeros.
   * <pre>
   *   m = beta1 m + (1 - beta1) g     v = beta2 v + (1 - beta2) g^2
   *   w = w - lr decay w - lr (m / correct1) / (sqrt(v / correct2) + eps)
   * </pre>
   *
   * @param correct1 {@code 1 - beta1^k} at step k, counted from 1
   * @param correct2 {@code 1 - beta2^k}
   */
  public static void step(float[] w, float[] g, float[] m, float[] v, int n, double lr, double beta1, double beta2,
      double eps, double decay, double correct1, double correct2) {
    Coefficients c = new Coefficients((float) (1 - beta1), (float) beta2, (float) (1 - beta2), (float) (lr * decay),
        (float) (lr / correct1), (float) (1 / Math.sqrt(correct2)), (float) eps);
    Parallel.ranges(n, Parallel.GRAIN, (from, to) -> Simd.OPTIMIZER.adamW(w, g, m, v, from, to - from, c));
  }

  /**
   * The step's numbers, brought to float once: {@code decay = lr * decay}, {@code rate = lr / correct1},
   * {@code rootScale = 1 / sqrt(correct2)}.
   */
  record Coefficients(float newShare1, float beta2, float newShare2, float decay, float rate, float rootScale,
      float eps) {}
}
