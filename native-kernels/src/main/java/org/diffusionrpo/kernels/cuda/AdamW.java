package org.diffusionrpo.kernels.cuda;

/** Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2, with the decay scaled by the learning rate. */
public final class AdamW {
  private final CudaDevice device;

  public AdamW(CudaDevice device) {
    this.device = device;
  }

  /**
   * One step on the first n weights. The moments m and v start as zeros.
   * <pre>
   *   m = beta1 m + (1 - beta1) g     v = beta2 v + (1 - beta2) g^2
   *   w = w - lr decay w - lr (m / correct1) / (sqrt(v / correct2) + eps)
   * </pre>
   * The step's numbers are brought to float once, as on the CPU.
   *
   * @param correct1 {@code 1 - beta1^k} at step k, counted from 1
   * @param correct2 {@code 1 - beta2^k}
   */
  public void step(DeviceBuffer w, DeviceBuffer g, DeviceBuffer m, DeviceBuffer v, long n, double lr, double beta1,
      double beta2, double eps, double decay, double correct1, double correct2) {
    device.module("optimizers").launch("adamw_step", Elementwise.quads(n), w, g, m, v, n, (float) (1 - beta1),
        (float) beta2, (float) (1 - beta2), (float) (lr * decay), (float) (lr / correct1),
        (float) (1 / Math.sqrt(correct2)), (float) eps);
  }
}
