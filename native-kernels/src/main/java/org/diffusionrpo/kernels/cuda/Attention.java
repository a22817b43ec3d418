package org.diffusionrpo.kernels.cuda;

/**
 * Exact softmax attention. FlashAttention-2, Dao 2023, arXiv:2307.08691, algorithms 1 and 2.
 * <pre>
 *   q, out [samples, queries, heads * headDim]     k, v [samples, keys, heads * headDim]
 *   lse [samples, heads, queries], log-sum-exp of the scaled scores, kept for backward
 *   out = softmax(q k^T / sqrt(headDim)) v, per sample and head
 * </pre>
 * Causal: query i sees the keys 0 .. i. For heads of up to {@value AttentionTile#MAX_HEAD_DIM} features, a multiple of
 * four, the probabilities are never stored: {@link TiledAttention}. Others go through matrix products:
 * {@link GemmAttention}. Tensors begin at multiples of 16 bytes, as {@link DeviceMemory} cuts them.
 *
 * <p>In bf16 and fp16, operands and probabilities are rounded; sums and the softmax are fp32. In fp16, dOut is scaled
 * by a power of two, so that small gradients do not vanish; q, k and v are not: they must stay below 65,504.
 */
public final class Attention {
  private final TiledAttention tiled;
  private final GemmAttention wide;

  public Attention(CudaDevice device) {
    this.tiled = new TiledAttention(device);
    this.wide = new GemmAttention(device);
  }

  /** Overwrites out and lse. */
  public void forward(DeviceBuffer out, DeviceBuffer lse, DeviceBuffer q, DeviceBuffer k, DeviceBuffer v, int samples,
      int queries, int keys, int heads, int headDim, boolean causal) {
    AttentionSizes sizes = new AttentionSizes(samples, queries, keys, heads, headDim, causal);
    if (AttentionTile.fits(headDim)) {
      tiled.forward(out, lse, q, k, v, sizes);
    } else {
      wide.forward(out, lse, q, k, v, sizes);
    }
  }

  /** Overwrites dq, dk and dv. */
  public void backward(DeviceBuffer dq, DeviceBuffer dk, DeviceBuffer dv, DeviceBuffer dOut, DeviceBuffer q,
      DeviceBuffer k, DeviceBuffer v, DeviceBuffer out, DeviceBuffer lse, int samples, int queries, int keys, int heads,
      int headDim, boolean causal) {
    AttentionSizes sizes = new AttentionSizes(samples, queries, keys, heads, headDim, causal);
    if (AttentionTile.fits(headDim)) {
      tiled.backward(dq, dk, dv, dOut, q, k, v, out, lse, sizes);
    } else {
      wide.backward(dq, dk, dv, dOut, q, k, v, out, lse, sizes);
    }
  }
}
