package org.diffusionrpo.kernels.cpu;

/**
 * Activations on the n elements that start at each array's offset. Written twice, with vectors and in plain Java, with
 * equal bits. An output may be one of the inputs.
 */
interface ActivationMath {
  /** {@code y = x * sigmoid(slope * x)}: SiLU for slope 1, quick GELU for slope 1.702. */
  void swish(float[] y, int yo, float[] x, int xo, float slope, int n);

  /** {@code dx = dy * s * (1 + slope * x * (1 - s))}, s = sigmoid(slope * x). */
  void swishBackward(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, float slope, int n);

  /** {@code y = x * Phi(x)}. */
  void gelu(float[] y, int yo, float[] x, int xo, int n);

  /** {@code y = a * gelu(gate)}. */
  void gatedGelu(float[] y, int yo, float[] a, int ao, float[] gate, int go, int n);

  /**
   * {@code normal = Phi(x)} and {@code density = phi(x)}, both from {@code po} on: what the gradients of GELU need. A
   * step of its own, because with the rest the formula would be longer than the compiler inlines.
   */
  void normal(float[] normal, float[] density, int po, float[] x, int xo, int n);

  /** {@code dx = dy * (normal + x * density)}. */
  void geluBackward(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, float[] normal, float[] density,
      int po, int n);

  /** {@code da = dy * gate * normal}, {@code dGate = dy * a * (normal + gate * density)}. */
  void gatedGeluBackward(float[] da, int dao, float[] dGate, int dgo, float[] dy, int dyo, float[] a, int ao,
      float[] gate, int go, float[] normal, float[] density, int po, int n);
}
