package org.diffusionrpo.kernels.cpu;

/**
 * The one-dimensional transforms of Winograd's minimal filtering F(4, 3) with the points 0, 1, -1, 2, -2 and infinity.
 * Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308, section 4.3.
 * <pre>
 *   y = A^T [(G g) * (B^T d)]       six values d and three taps g give four neighbouring outputs y
 * </pre>
 * A value is a line of {@code n} channels; value i of an operand lies at {@code start + i * step}. Output and input must
 * not overlap. Written twice, with vectors and in plain Java, with the same bits.
 */
interface WinogradMath {
  /** {@code to = B^T from}: six values from six. */
  void input(float[] to, int toStart, int toStep, float[] from, int start, int step, int n);

  /** {@code to = A^T from}: four values from six. */
  void output(float[] to, int toStart, int toStep, float[] from, int start, int step, int n);

  /** {@code to = G from}: six values from three. */
  void filter(float[] to, int toStart, int toStep, float[] from, int start, int step, int n);

  /** {@code to = A from}, the transpose of {@link #output}: six values from four. */
  void outputGradient(float[] to, int toStart, int toStep, float[] from, int start, int step, int n);

  /** {@code to = G^T from}, the transpose of {@link #filter}: three values from six. */
  void filterGradient(float[] to, int toStart, int toStep, float[] from, int start, int step, int n);
}
