package org.diffusionrpo.kernels.cuda;

/**
 * Softmax of attention over rows in memory.
 * <pre>
 *   p, ds [rows, columns]     lse, delta [rows]
 *   lse = log sum_j exp(p_j),   p = exp(p - lse)
 *   ds  = scale * p * (dp - delta),   delta = sum_d dOut out, which equals sum_j p dp
 * </pre>
 * Causal: row r, which is query {@code firstRow + r}, sees the columns up to its own number; p and ds are 0 in others.
 */
final class Softmax {
  private static final int THREADS = 256;
  private static final int DELTA_THREADS = 128;
  /** Eight threads take one row of delta. */
  private static final int DELTA_ROWS = DELTA_THREADS / 8;

  private final CudaDevice device;
  private final Convert convert;

  Softmax(CudaDevice device) {
    this.device = device;
    this.convert = new Convert(device);
  }

  /** Overwrites lse, and scores in p by probabilities. */
  void forward(DeviceBuffer p, DeviceBuffer lse, int rows, int columns, int firstRow, boolean causal) {
    launch("softmax_forward", Grid.of(rows, THREADS), p, lse, columns, firstRow, causal ? 1 : 0);
  }

  /** Overwrites scores in p by probabilities, and dp in ds by the gradient of the scores before they were scaled. */
  void backward(DeviceBuffer p, DeviceBuffer ds, DeviceBuffer lse, DeviceBuffer delta, int rows, int columns,
      int firstRow, float scale, boolean causal) {
    launch("softmax_backward", Grid.of(rows, THREADS), p, ds, lse, delta, columns, firstRow, scale, causal ? 1 : 0);
  }

  /**
   * Overwrites delta [samples, heads, queries], from dOut and out of {@link Attention}.
   *
   * @param dOutScale from {@link #scaleOf}
   */
  void delta(DeviceBuffer delta, DeviceBuffer dOut, DeviceBuffer out, DeviceBuffer dOutScale, AttentionSizes sizes) {
    int blocks = Math.toIntExact((sizes.rows() + DELTA_ROWS - 1) / DELTA_ROWS);
    int format = switch (device.options().precision()) {
      case FP32, TF32 -> 0;
      case BF16 -> 1;
      case FP16 -> 2;
    };
    launch("softmax_delta", Grid.of(blocks, DELTA_THREADS), delta, dOut, out, dOutScale, format, sizes.queries(),
        sizes.heads(), sizes.headDim(), sizes.rows());
  }

  /** A fresh power of two that brings dOut into the range of fp16; null in other formats. */
  DeviceBuffer scaleOf(DeviceBuffer dOut, AttentionSizes sizes) {
    if (device.options().precision() != Precision.FP16) {
      return null;
    }
    DeviceBuffer scale = device.memory().take(Float.BYTES);
    try {
      convert.scaleOf(scale, dOut, sizes.querySize());
      return scale;
    } catch (RuntimeException | Error e) {
      scale.close();
      throw e;
    }
  }

  private void launch(String kernel, Grid grid, Object... arguments) {
    device.module("softmax").launch(kernel, grid, arguments);
  }
}
