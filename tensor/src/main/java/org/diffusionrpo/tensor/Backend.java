package org.diffusionrpo.tensor;

import java.util.List;

/**
 * The operations of the networks, on one kind of memory.
 *
 * <p>Conventions, the same for every operation:
 * <ul>
 *   <li>Outputs come first and are allocated by the caller; inputs follow; numbers come last.
 *   <li>Images are {@code [N, H, W, C]}, tokens {@code [N, T, C]}, convolution weights {@code [O, Kh, Kw, I]}, linear
 *       weights {@code [O, I]}. "Rows" are all axes but the last, taken together.
 *   <li>The gradients of parameters ({@code dWeight}, {@code dBias}, {@code dGamma}, {@code dBeta}, {@code dTable})
 *       and of broadcast vectors ({@code dv}) are added to, and may be null when nobody wants them. Every other
 *       gradient ({@code dx}, {@code dq}) is overwritten.
 *   <li>Elementwise outputs may be the same tensor as an input.
 *   <li>Wrong shapes throw {@link IllegalArgumentException} with the operation and both shapes, before any work.
 *   <li>Results are bit-equal on repetition and do not depend on the number of threads.
 * </ul>
 * A backend and its tensors belong to one thread at a time.
 */
public interface Backend extends AutoCloseable {
  /** What {@link Backends#open} calls it, e.g. {@code cpu}. */
  String name();

  /** What computes, in one line: for logs and for the record of a run. */
  default String describe() {
    return name();
  }

  /** The scopes and the byte count of this backend. */
  Memory memory();

  /** Opens a scope that owns every tensor created until it closes. */
  default MemoryScope scope() {
    return memory().open();
  }

  // ---- memory ----

  /** Bytes of a device's memory that are free now, whoever has the others; 0 where tensors are Java arrays. */
  default long deviceMemory() {
    return 0;
  }

  /** Gives up arrays that are kept for later requests: a new part of the work will ask for other sizes. */
  default void trim() {}

  /** Waits until all that was asked for is done; errors of a device show here at the latest. */
  default void synchronize() {}

  /**
   * Prepares work that is repeated: the same operations on the same tensors, whose contents change in between. A device
   * may record it and launch it as a whole, so the work is called once or twice, or at every run.
   *
   * @param work operations on tensors made before, the results too; it closes none of them. What it makes is released at
   *     its end. Values from the host ({@link #of}, {@link #write}, ids of {@link #embeddingForward}), {@link #toArray}
   *     and other results on the host are not part of it: a device that records refuses them.
   */
  default Replay record(Runnable work) {
    return () -> {
      try (MemoryScope scope = scope()) {
        work.run();
      }
    };
  }

  /** A tensor with undefined contents. */
  Tensor empty(Shape shape);

  default Tensor zeros(Shape shape) {
    Tensor y = empty(shape);
    fill(y, 0f);
    return y;
  }

  /** Copies host values in. */
  default Tensor of(Shape shape, float[] values) {
    Tensor y = empty(shape);
    write(y, values);
    return y;
  }

  /** A tensor with undefined contents; the two half formats are storage of frozen weights. */
  Tensor empty(Shape shape, Storage storage);

  /** Copies host values in, rounded to nearest even, as storage of frozen weights. */
  default Tensor of(Shape shape, float[] values, Storage storage) {
    OpChecks.values("of", shape, values);
    Tensor y = empty(shape, storage);
    write(y, 0, values, values.length);
    return y;
  }

  /** Overwrites a tensor with host values. */
  void write(Tensor y, float[] values);

  /**
   * Overwrites the elements from {@code first} on with the first {@code count} host values, rounded to nearest even to
   * the tensor's storage: how large weights are filled in pieces.
   */
  void write(Tensor y, int first, float[] values, int count);

  /** Copies a tensor to the host, widened to float. */
  float[] toArray(Tensor x);

  // ---- elementwise ----

  void copy(Tensor y, Tensor x);

  void fill(Tensor y, float value);

  /** {@code y = a + b}. */
  void add(Tensor y, Tensor a, Tensor b);

  /** {@code y += x}. */
  void addTo(Tensor y, Tensor x);

  /** {@code y = s * x}. */
  void scale(Tensor y, Tensor x, float s);

  /** {@code y += a * x}. */
  void axpy(Tensor y, float a, Tensor x);

  /** {@code average += weight * (x - average)}: one step of an exponential moving average. */
  void lerp(Tensor average, Tensor x, float weight);

  /** {@code y[r, c] = x[r, c] + v[c]}; v holds the trailing axes of x, which repeat over the leading ones. */
  void addBroadcast(Tensor y, Tensor x, Tensor v);

  /** {@code dv[c] += sum_r dy[r, c]}: the backward of {@link #addBroadcast} for v. */
  void sumRows(Tensor dv, Tensor dy);

  /** {@code y[n, p, c] = x[n, p, c] + v[n, c]}; p runs over all axes between the first and the last. */
  void addPerSample(Tensor y, Tensor x, Tensor v);

  /** {@code dv[n, c] += sum_p dy[n, p, c]}: the backward of {@link #addPerSample} for v. */
  void sumPositions(Tensor dv, Tensor dy);

  /** Joins a and b along {@code axis}; all other extents are equal. */
  void concat(Tensor y, Tensor a, Tensor b, int axis);

  /** Cuts y into a and b along {@code axis}: the backward of {@link #concat}. */
  void split(Tensor a, Tensor b, Tensor y, int axis);

  // ---- linear maps ----

  /** {@code y[r, o] = sum_i x[r, i] * weight[o, i] + bias[o]}; bias may be null. */
  void linearForward(Tensor y, Tensor x, Tensor weight, Tensor bias);

  /** {@code dx[r, i] = sum_o dy[r, o] * weight[o, i]}. */
  void linearBackwardData(Tensor dx, Tensor dy, Tensor weight);

  /** {@code dWeight[o, i] += sum_r dy[r, o] * x[r, i]}, {@code dBias[o] += sum_r dy[r, o]}. */
  void linearBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dy, Tensor x);

  /** Cross-correlation with zero padding, as torch.nn.Conv2d; bias may be null. */
  void conv2dForward(Tensor y, Tensor x, Tensor weight, Tensor bias, Conv2dGeometry geometry);

  void conv2dBackwardData(Tensor dx, Tensor dy, Tensor weight, Conv2dGeometry geometry);

  void conv2dBackwardWeight(Tensor dWeight, Tensor dBias, Tensor dy, Tensor x, Conv2dGeometry geometry);

  // ---- normalisation ----

  /** Group norm over {@code [N, ..., C]}; mean and rstd {@code [N, groups]} are kept for backward. */
  void groupNormForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, int groups, float eps);

  void groupNormBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma, Tensor mean,
      Tensor rstd, int groups);

  /** {@code y = silu(group norm of x)} without the normalised tensor in between; mean and rstd as above. */
  void groupNormSiluForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, int groups,
      float eps);

  /** Computes the normalised values again, for which it needs beta. */
  void groupNormSiluBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma, Tensor beta,
      Tensor mean, Tensor rstd, int groups);

  /** Layer norm over the last axis; mean and rstd {@code [rows]} are kept for backward. */
  void layerNormForward(Tensor y, Tensor mean, Tensor rstd, Tensor x, Tensor gamma, Tensor beta, float eps);

  void layerNormBackward(Tensor dx, Tensor dGamma, Tensor dBeta, Tensor dy, Tensor x, Tensor gamma, Tensor mean,
      Tensor rstd);

  // ---- activations ----

  void activationForward(Activation kind, Tensor y, Tensor x);

  void activationBackward(Activation kind, Tensor dx, Tensor dy, Tensor x);

  /** {@code y = a * gelu(g)} where x = [a, g] along the last axis. Shazeer 2020, arXiv:2002.05202. */
  void gegluForward(Tensor y, Tensor x);

  void gegluBackward(Tensor dx, Tensor dy, Tensor x);

  // ---- attention ----

  /**
   * {@code out = softmax(q k^T / sqrt(D)) v} per head, without storing the probabilities.
   * q, out {@code [N, Tq, heads * D]}; k, v {@code [N, Tk, heads * D]}; lse {@code [N, heads, Tq]} is the log of the
   * sum of exponentials of each row, kept for backward. Causal: query i sees keys 0..i.
   * Dao 2023, FlashAttention-2, arXiv:2307.08691.
   */
  void attentionForward(Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, int heads, boolean causal);

  void attentionBackward(Tensor dq, Tensor dk, Tensor dv, Tensor dOut, Tensor q, Tensor k, Tensor v, Tensor out,
      Tensor lse, int heads, boolean causal);

  // ---- moving data ----

  /** {@code y[n, i, j] = x[n, i * Hx / Hy, j * Wx / Wy]}: nearest neighbour, sizes from the shapes. */
  void upsampleNearestForward(Tensor y, Tensor x);

  void upsampleNearestBackward(Tensor dx, Tensor dy);

  /** {@code y[r] = table[ids[r]]}; table {@code [V, C]}, y has {@code ids.length} rows. */
  void embeddingForward(Tensor y, Tensor table, int[] ids);

  void embeddingBackward(Tensor dTable, Tensor dy, int[] ids);

  // ---- losses, norms and optimizers ----

  /** {@code out[n] = mean over the sample of (a - b)^2}, summed in double. Reads back from the device. */
  void squaredErrorPerSample(double[] out, Tensor a, Tensor b);

  /** {@code da[n] = weight[n] * 2 (a - b) / size of a sample}: the gradient of the weighted errors. */
  void squaredErrorBackward(Tensor da, Tensor a, Tensor b, float[] weight);

  /** Sum of squares of all elements in double; NaN or infinite when any is. Reads back from the device, once. */
  double sumOfSquares(List<Tensor> xs);

  /** One AdamW step in place. Loshchilov and Hutter 2019, arXiv:1711.05101. */
  void adamW(Tensor w, Tensor g, Tensor m, Tensor v, AdamWStep step);

  /**
   * Numbers of one AdamW step, in double: {@code 1 - beta2} of a float beta2 is off by 1e-5 of itself.
   *
   * @param correct1 {@code 1 - beta1^t}, t counted from 1
   * @param correct2 {@code 1 - beta2^t}
   */
  record AdamWStep(double lr, double beta1, double beta2, double eps, double decay, double correct1,
      double correct2) {}

  /**
   * One Adafactor step in place, without momentum. Shazeer and Stern 2018, arXiv:1804.04235. The second moment of a
   * matrix [O, I] is factored into rows [O] and columns [I]; that of a convolution [O, Kh, Kw, I], per filter and
   * input channel, into [O, Kh, I] and [O, Kw, I]. A vector keeps its full second moment in {@code rows} and has no
   * {@code columns}.
   */
  void adafactor(Tensor w, Tensor g, Tensor rows, Tensor columns, AdafactorStep step);

  /**
   * Numbers of one Adafactor step.
   *
   * @param k counted from 1; the second moment decays with {@code 1 - k^-0.8}
   */
  record AdafactorStep(int k, double lr, double decay) {}

  /** Frees what the backend holds. */
  @Override
  void close();
}
