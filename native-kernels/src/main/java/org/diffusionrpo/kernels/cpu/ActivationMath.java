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

  /** {@code dx = dy * (Phi(x) + x * phi(x))}. */
  void geluBackward(float[] dx, int dxo, float[] dy, int dyo, float[] x, int xo, int n);

  /** {@code y = a * gelu(gate)}. */
  void gatedGelu(float[] y, int yo, float[] a, int ao, float[] gate, int go, int n);

  /** {@code da = dy * gelu(gate)}, {@code dGate = dy * a * gelu'(gate)}. */
  void gatedGeluBackward(float[] da, int dao, float[] dGate, int dgo, float[] dy, int dyo, float[] a, int ao,
      float[] gate, int go, int n);
}
